"""Who works in the invented shop, and who buys there: written, then drawn."""

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from tasks.shop.demo.customers import CUSTOMERS, Customer

WEBSHOP = "webshop"
CARRIER = "carrier"
ACCOUNTS = "mara"
WAREHOUSE = "jonas"
SERVICE = "emma"
PRIVACY = "henrik"

GIVEN_NAMES = (
    "Agnieszka", "Anselm", "Beatriz", "Bjørn", "Chiara", "Dagný", "Émile", "Fatima",
    "Greta", "Henrique", "Ilse", "Ivana", "Joris", "Kateřina", "László", "Lucía",
    "Małgorzata", "Niamh", "Oluf", "Perrine", "Quentin", "Ragnhild", "Søren", "Tereza",
    "Ulrike", "Vilém", "Wendelin", "Xavier", "Yngve", "Zuzana",
)  # fmt: skip
FAMILY_NAMES = (
    "Alvarez", "Bakker", "Benešová", "Castelli", "Dahl", "Eriksen", "Fournier",
    "Gärtner", "Horváth", "Ibsen", "Jansen", "Kovács", "Lefèvre", "Moreau", "Nielsen",
    "Ó Briain", "Pereira", "Quist", "Rasmussen", "Šimek", "Thorvaldsen", "Urban",
    "Vermeer", "Wójcik", "Ybarra", "Zeman",
)  # fmt: skip
TRADES = (
    "Bookshop {}", "{} & Daughters", "Papierhandlung {}", "Librairie {}", "Atelier {}",
    "Cartoleria {}", "Kontor {}",
)  # fmt: skip
STREETS = (
    "Birkenallee", "Rue des Ormes", "Lindevej", "Calle Mayor", "Via Garibaldi",
    "Kastanjelaan", "Kossuth utca", "Lipová", "Storgata", "Rua do Sol",
)  # fmt: skip
PLACES = (
    ("1050", "København", "Denmark"), ("0152", "Oslo", "Norway"),
    ("69002", "Lyon", "France"), ("50123", "Firenze", "Italy"),
    ("9712", "Groningen", "Netherlands"), ("1053", "Budapest", "Hungary"),
    ("602 00", "Brno", "Czechia"), ("3000-213", "Coimbra", "Portugal"),
    ("04109", "Leipzig", "Germany"), ("37001", "Salamanca", "Spain"),
)  # fmt: skip
BUSINESSES = 0.3
"""The share of drawn customers who buy for a business."""


def draw_customer(random: Random, place: int) -> Customer:
    """Return an invented customer; *place* makes the e-mail address its own."""
    given, family = random.choice(GIVEN_NAMES), random.choice(FAMILY_NAMES)
    person = f"{given} {family}"
    is_business = random.random() < BUSINESSES
    code, city, country = random.choice(PLACES)
    return Customer(
        name=random.choice(TRADES).format(family) if is_business else person,
        email=f"customer{place}@example.com",
        contact_name=person if is_business else None,
        phone=f"+44 1632 960 {place:03}" if place < 1_000 else None,
        address={
            "street": f"{random.choice(STREETS)} {random.randint(1, 180)}",
            "postal_code": code,
            "city": city,
            "country": country,
        },
    )


def corrected_customer(random: Random, customer: Customer) -> Customer:
    """Return a customer who has moved within the town, as some do."""
    street = f"{random.choice(STREETS)} {random.randint(1, 180)}"
    return replace(customer, address={**customer.address, "street": street})


@dataclass(slots=True)
class CustomerBook:
    """
    The customers that are registered: their numbers and details by key, as of now.

    *regular* are the keys of those for whom any order may be drawn.
    """

    numbers: dict[str, str] = field(default_factory=dict)
    details: dict[str, Customer] = field(default_factory=dict)
    regular: list[str] = field(default_factory=list)

    def add(self, key: str, number: str, customer: Customer) -> None:
        self.numbers[key] = number
        self.details[key] = customer

    def of(self, key: str) -> dict[str, Any]:
        """Return the fields of a command about the customer called *key*."""
        return {"customer_id": self.numbers[key], **self.details[key].details()}

    def shipping_address(self, key: str) -> dict[str, str]:
        customer = self.details[key]
        return {"name": customer.name, **customer.address}


def is_business(customer: Customer) -> bool:
    return customer.contact_name is not None


WRITTEN = tuple(CUSTOMERS)
"""The keys of the customers who are written down, not drawn."""

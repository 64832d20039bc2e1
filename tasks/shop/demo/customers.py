"""The customers of the invented shop, some of whom change their details."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer; the shop assigns the number at registration."""

    name: str
    email: str | None = None
    contact_name: str | None = None
    phone: str | None = None
    address: dict[str, str]

    def details(self) -> dict[str, Any]:
        """Return the fields of a command, without unknown ones."""
        known = {
            "name": self.name,
            "email": self.email,
            "contact_name": self.contact_name,
            "phone": self.phone,
            "address": self.address,
        }
        return {name: value for name, value in known.items() if value is not None}


def at(street: str, postal_code: str, city: str, country: str) -> dict[str, str]:
    return {
        "street": street,
        "postal_code": postal_code,
        "city": city,
        "country": country,
    }


CUSTOMERS = {
    "asa": Customer(
        name="Åsa Lindqvist",
        email="asa.lindqvist@example.se",
        address=at("Övre Slottsgatan 114", "753 12", "Uppsala", "Sweden"),
    ),
    "kauz": Customer(
        name="Buchhandlung Zum Goldenen Käuzchen",
        email="bestellung@kaeuzchen.example",
        contact_name="Friederike Großmann",
        address=at("Müllerstraße 203a", "99423", "Weimar", "Germany"),
    ),
    "irmas": Customer(
        name="Papelaria Três Irmãs",
        email="loja@tresirmas.example",
        contact_name="Conceição Magalhães",
        address=at("Rua das Flores 318", "4050-265", "Porto", "Portugal"),
    ),
    "garonne": Customer(
        name="Société coopérative des imprimeurs-typographes de la Haute-Garonne",
        email="achats@imprimeurs-hg.example",
        contact_name="Maëlle Dufrêne",
        address=at("87 ter, rue du Taur", "31000", "Toulouse", "France"),
    ),
    "bennett": Customer(
        name="Oliver Bennett",
        email="o.bennett@example.co.uk",
        phone="+44 1632 960 411",
        address=at("7 Orchard Terrace", "YO30 9ZZ", "York", "United Kingdom"),
    ),
    "kowal": Customer(
        name="Zofia Kowalczyk-Święcicka",
        email="zofia@example.pl",
        address=at("ul. Świętego Łazarza 48/6", "31-530", "Kraków", "Poland"),
    ),
    "jokull": Customer(
        name="Bókabúð Jökuls",
        email="pantanir@jokull.example",
        contact_name="Þórdís Jökulsdóttir",
        address=at("Skólavörðustígur 92", "101", "Reykjavík", "Iceland"),
    ),
    "novak": Customer(
        name="Jiří Novák",
        address=at("Třída Míru 151", "772 00", "Olomouc", "Czechia"),
    ),
    "iris": Customer(
        name="Iris van der Meulen",
        email="iris@example.nl",
        address=at("Oude Gracht 512", "3511 AX", "Utrecht", "Netherlands"),
    ),
    "nunez": Customer(
        name="Librería Núñez e Hijas",
        email="compras@nunez.example",
        contact_name="Begoña Núñez",
        address=at("Calle del Pez Volador 19", "37002", "Salamanca", "Spain"),
    ),
    "harper": Customer(
        name="Harper & Finch Stationers",
        email="orders@harperfinch.example",
        contact_name="June Finch",
        phone="+1 503 555 0148",
        address={
            **at("2200 Juniper Avenue", "97214", "Portland", "United States"),
            "region": "Oregon",
        },
    ),
    "sato": Customer(
        name="Satō Haruka (佐藤 遥)",
        email="haruka@example.jp",
        address=at("3-14-7 Yanaka, Taitō-ku", "110-0001", "Tokyo", "Japan"),
    ),
}

MOVED = {
    "asa": Customer(
        name="Åsa Lindqvist-Öberg",
        email="asa.oberg@example.se",
        address=at("Kyrkogårdsgatan 207 B", "753 13", "Uppsala", "Sweden"),
    ),
    "iris": Customer(
        name="Iris van der Meulen",
        email="iris@example.nl",
        phone="+31 20 555 0117",
        address=at("Lijnmarkt 84", "3511 KH", "Utrecht", "Netherlands"),
    ),
}
"""The changed details, for the customers that have some."""

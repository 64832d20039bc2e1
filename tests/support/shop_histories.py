"""
Random histories of a whole shop: customers, products, orders, accounts, all in turn.

Orders begin in every version of their first event. What comes after it is decided on
the order, so it can be.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from domain.customers.customer import Customer
from domain.customers.events import CustomerDetails
from domain.orders.state import Order
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent
from tests.support.order_commands import OrderCommands, decide_something
from tests.support.order_histories import after, written

Event = tuple[str, str, dict[str, Any], str]
"""A stream, and the type, the data and the schema of its next event."""

BEGIN = datetime(2021, 3, 1, 12, tzinfo=UTC)
NAMES = ("Alice Retro", "Zoë Ångström", 'Bob "Clock" Olsen', "李 小龍", "C'est Émile")
CITIES = ("Bergen", "Łódź", "São Paulo", "İzmir")
PRODUCTS = ("RETRO-CLOCK", "Lamp ⏰", "chai", "Röd Kaviar")
CARRIAGES = (None, 0, 650)
KNOWN = Customer(CustomerDetails(name="Alice"))
EVENTS_AT_ONCE = 50
MAX_ORDERS = 1_000
"""Orders that a history has at most, where several are in one log."""


@dataclass
class ShopHistory:
    """
    What may come next in a shop, by chance, the same for the same *seed*.

    Histories of different *place* have no stream in common, so that one log has many.
    """

    random: Random
    orders: dict[int, tuple[str, Order]] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    products: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    moment: datetime = BEGIN
    may_forget: bool = True
    place: int = 0

    @classmethod
    def of(cls, seed: int, *, may_forget: bool = True, place: int = 0) -> "ShopHistory":
        return cls(Random(seed), may_forget=may_forget, place=place)

    @property
    def mark(self) -> str:
        return f"H{self.place}" if self.place else ""

    def append(self, connection: psycopg.Connection[Any], count: int) -> None:
        """Append *count* events to the log."""
        waiting: list[tuple[str, NewEvent]] = []
        for number, event in enumerate(self.events(count), 1):
            waiting.append(event)
            if len(waiting) == EVENTS_AT_ONCE or number == count:
                added = Counter(stream_id for stream_id, _ in waiting)
                expected = {
                    stream_id: self.versions[stream_id] - some
                    for stream_id, some in added.items()
                }
                append(connection, waiting, expected=expected)
                waiting = []

    def events(self, count: int) -> Iterator[tuple[str, NewEvent]]:
        for _ in range(count):
            # Imported times need not rise.
            self.moment += timedelta(minutes=self.random.choice([0, 1, 60, -30]))
            stream_id, kind, data, schema = self.next()
            self.versions[stream_id] += 1
            event = self.event(kind, data, schema)
            if stream_id.startswith("order-"):
                self.note(int(stream_id[6:]), event)
            yield stream_id, event

    def note(self, number: int, event: NewEvent) -> None:
        """Keep the order as it is after *event*."""
        customer, order = self.orders[number]
        self.orders[number] = customer, after(order, event)

    def next(self) -> Event:
        chance = self.random
        what = chance.randrange(14)
        if not self.customers or what == 0:
            name = f"{self.mark}C{len(self.customers)}"
            self.customers[name] = KNOWN
            return f"customer-{name}", "CustomerRegistered", self.details(), "1.0"
        customer = chance.choice(list(self.customers))
        if what == 1:
            return (
                f"customer-{customer}",
                "CustomerDetailsChanged",
                self.details(),
                "1.0",
            )
        if what == 2 and self.may_forget and chance.random() < 0.2:
            self.customers[customer] = Customer(is_forgotten=True)
            return f"customer-{customer}", "CustomerForgotten", {}, "1.0"
        if what in (3, 4):
            return self.of_account()
        if what == 5:
            return self.of_product()
        if not self.orders or what < 9:
            return self.new_order(customer)
        return self.of_order() or self.new_order(customer)

    def new_order(self, customer: str) -> Event:
        number = MAX_ORDERS * self.place + len(self.orders) + 1
        self.orders[number] = customer, Order()
        return f"order-{number}", *self.created(customer)

    def of_product(self) -> Event:
        chance = self.random
        if not self.products or chance.random() < 0.3:
            self.products.append(f"{self.mark}P{len(self.products)}")
            return f"product-{self.products[-1]}", "ProductAdded", self.listed(), "1.0"
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("PriceChanged", {"unit_price": chance.randrange(1, 9_999)}),
            ("ProductRenamed", {"name": chance.choice(PRODUCTS)}),
            ("ProductDiscontinued", {}),
            # Once more, after it was taken off the list.
            ("ProductAdded", self.listed()),
        ]
        return f"product-{chance.choice(self.products)}", *chance.choice(kinds), "1.0"

    def listed(self) -> dict[str, Any]:
        return {
            "name": self.random.choice(PRODUCTS),
            "unit_price": self.random.randrange(1, 9_999),
            "currency": "EUR",
        }

    def of_account(self) -> Event:
        chance = self.random
        if not self.accounts or chance.random() < 0.2:
            self.accounts.append(f"{self.mark}A{len(self.accounts)}")
            opened = {"currency": "EUR"}
            return f"account-{self.accounts[-1]}", "AccountOpened", opened, "1.0"
        account = f"account-{chance.choice(self.accounts)}"
        if chance.random() < 0.6:
            amount = {"amount": chance.randrange(1, 9_999)}
            return account, "MoneyDeposited", amount, "1.0"
        return account, "MoneyWithdrawn", {"amount": chance.randrange(1, 99)}, "1.0"

    def of_order(self) -> Event | None:
        """Return what may happen next to one of the orders; None: nothing more."""
        number = self.random.choice(list(self.orders))
        name, order = self.orders[number]
        standing = order.standing
        amounts = (standing.due, standing.credit, standing.due // 2)
        make = OrderCommands(
            random=self.random,
            amounts=[amount for amount in amounts if amount > 0] or [1],
            day=self.moment + timedelta(days=1),
        )
        if standing.due and not order.payments and self.random.random() < 0.2:
            paid = {"amount": standing.due}
            return f"order-{number}", "PaymentReceived", paid, "1.0"
        found = decide_something(make, order, (number, name), self.customers[name])
        return (f"order-{number}", *written(found[0])) if found else None

    def details(self) -> dict[str, Any]:
        chance = self.random
        return {
            "name": chance.choice(NAMES),
            "email": chance.choice([None, "a@example.com", "Ünïcode@example.com"]),
            "phone": chance.choice([None, "+49 30 1234567"]),
            "address": chance.choice([None, self.address()]),
        }

    def address(self) -> dict[str, Any]:
        return {
            "street": "1 Retro Road",
            "city": self.random.choice(CITIES),
            "country": "NO",
        }

    def created(self, customer: str) -> tuple[str, dict[str, Any], str]:
        """Return the first event of an order, in one of its versions."""
        chance = self.random
        lines = [
            {
                "product": chance.choice(PRODUCTS),
                "quantity": chance.randrange(1, 9),
                "unit_price": chance.randrange(1, 99_999),
                "discount": chance.choice(["0", "0.05"]),
            }
            for _ in range(chance.randrange(1, 4))
        ]
        data = {
            "customer_id": customer,
            "items": lines,
            "total": chance.randrange(10**6),
            "currency": "EUR",
            "address": self.address(),
            "freight": chance.choice(CARRIAGES),
        }
        version = chance.choice(["1.0", "2.0", "3.0", "3.0"])
        if version != "1.0":
            data["discount"] = "0"
        if version == "3.0":
            for place, line in enumerate(lines, 1):
                line["number"] = place
            data |= {
                "freight": data["freight"] or 0,
                "terms": chance.choice([None, 14]),
                "carriage": chance.choice(CARRIAGES),
            }
        return "OrderCreated", data, version

    def event(self, kind: str, data: dict[str, Any], schema: str) -> NewEvent:
        about = UUID(int=self.random.getrandbits(128))
        return NewEvent(
            type=kind,
            data=json.dumps(data),
            metadata=Metadata(
                event_id=about,
                correlation_id=about,
                causation_id=about,
                schema=schema,
                source="chance",
            ),
            occurred_at=self.moment,
        )

"""Random histories of a whole shop: customers, orders and accounts, all in turn."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent

BEGIN = datetime(2021, 3, 1, 12, tzinfo=UTC)
NAMES = ("Alice Retro", "Zoë Ångström", 'Bob "Clock" Olsen', "李 小龍", "C'est Émile")
CITIES = ("Bergen", "Łódź", "São Paulo", "İzmir")
PRODUCTS = ("RETRO-CLOCK", "Lamp ⏰", "chai", "Röd Kaviar")
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
    orders: dict[int, str] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)
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
            stream_id, kind, data = self.next()
            self.versions[stream_id] += 1
            yield stream_id, self.event(kind, data)

    def next(self) -> tuple[str, str, dict[str, Any]]:
        chance = self.random
        what = chance.randrange(12)
        if not self.customers or what == 0:
            name = f"{self.mark}C{len(self.customers)}"
            self.customers.append(name)
            return f"customer-{name}", "CustomerRegistered", self.details()
        customer = chance.choice(self.customers)
        if what == 1:
            return f"customer-{customer}", "CustomerDetailsChanged", self.details()
        if what == 2 and self.may_forget and chance.random() < 0.2:
            return f"customer-{customer}", "CustomerForgotten", {}
        if what in (3, 4):
            return self.of_account()
        if not self.orders or what < 8:
            number = MAX_ORDERS * self.place + len(self.orders) + 1
            self.orders[number] = "pending"
            return f"order-{number}", "OrderCreated", self.order(customer)
        return self.of_order()

    def of_account(self) -> tuple[str, str, dict[str, Any]]:
        chance = self.random
        if not self.accounts or chance.random() < 0.2:
            self.accounts.append(f"{self.mark}A{len(self.accounts)}")
            return f"account-{self.accounts[-1]}", "AccountOpened", {"currency": "EUR"}
        account = f"account-{chance.choice(self.accounts)}"
        if chance.random() < 0.6:
            return account, "MoneyDeposited", {"amount": chance.randrange(1, 9_999)}
        return account, "MoneyWithdrawn", {"amount": chance.randrange(1, 99)}

    def of_order(self) -> tuple[str, str, dict[str, Any]]:
        chance = self.random
        number = chance.choice(list(self.orders))
        stream_id, status = f"order-{number}", self.orders[number]
        amount = {"amount": chance.randrange(1, 10**6)}
        if status == "pending":
            self.orders[number] = chance.choice(["paid", "cancelled"])
            if self.orders[number] == "paid":
                return stream_id, "PaymentReceived", amount
            return stream_id, "OrderCancelled", {"reason": "bought twice"}
        if status == "paid":
            self.orders[number] = "shipped"
            tracking = chance.choice([None, f"1Z-{number}"])
            return stream_id, "OrderShipped", {"tracking_no": tracking}
        refund = {**amount, "currency": "EUR", "customer_id": f"{self.mark}C0"}
        return stream_id, "PaymentRefunded", refund

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

    def order(self, customer: str) -> dict[str, Any]:
        lines = [
            {
                "product": self.random.choice(PRODUCTS),
                "quantity": self.random.randrange(1, 9),
                "unit_price": self.random.randrange(1, 99_999),
                "discount": self.random.choice(["0", "0.05"]),
            }
            for _ in range(self.random.randrange(1, 4))
        ]
        return {
            "customer_id": customer,
            "items": lines,
            "discount": "0",
            "total": self.random.randrange(10**6),
            "currency": "EUR",
            "address": self.address(),
        }

    def event(self, kind: str, data: dict[str, Any]) -> NewEvent:
        about = UUID(int=self.random.getrandbits(128))
        return NewEvent(
            type=kind,
            data=json.dumps(data),
            metadata=Metadata(
                event_id=about,
                correlation_id=about,
                causation_id=about,
                schema="2.0" if kind == "OrderCreated" else "1.0",
                source="chance",
            ),
            occurred_at=self.moment,
        )

"""
A shop of many customers who buy again or never, of whatever size, drawn by chance.

At full size it is that of CDNOW: 69,659 orders of 23,570 customers in 78 weeks. All
come in the first twelve weeks; most buy once, and few buy a hundred times.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent

CUSTOMERS, ORDERS = 23_570, 69_659
BEGIN = datetime(1997, 1, 1, tzinfo=UTC)
WEEKS, WEEKS_OF_FIRST_ORDERS = 78, 12
EVENTS_AT_ONCE = 1_000
DISCS = tuple(f"Disc {number}" for number in range(200))

Event = tuple[datetime, str, str, dict[str, Any]]
"""When, of which stream, of which type, with which data."""


@dataclass(frozen=True, slots=True)
class RepeatBuyers:
    """The history of such a shop, the same for the same *seed*."""

    customers: int = CUSTOMERS
    orders: int = ORDERS
    seed: int = 0

    def append(self, connection: psycopg.Connection[Any]) -> None:
        """Append all events in the order of their times."""
        chance = Random(self.seed)
        events = sorted(self.events(chance), key=lambda event: event[0])
        versions = Counter[str]()
        for start in range(0, len(events), EVENTS_AT_ONCE):
            some = events[start : start + EVENTS_AT_ONCE]
            expected = {stream_id: versions[stream_id] for _, stream_id, *_ in some}
            new = [(event[1], new_event(chance, *event)) for event in some]
            append(connection, new, expected=expected)
            versions.update(stream_id for stream_id, _ in new)

    def events(self, chance: Random) -> Iterator[Event]:
        number = 0
        for customer, count in enumerate(self.orders_of_each(chance)):
            name = f"K{customer}"
            weeks = WEEKS_OF_FIRST_ORDERS * chance.random()
            registered = BEGIN + timedelta(weeks=weeks)
            yield registered, f"customer-{name}", "CustomerRegistered", details(name)
            if chance.random() < 0.01:
                changed = self.later(chance, weeks)
                new = details(f"{name} renamed")
                yield changed, f"customer-{name}", "CustomerDetailsChanged", new
            for repeated in range(count):
                number += 1
                placed = registered + timedelta(minutes=5)
                if repeated:
                    placed = self.later(chance, weeks)
                yield from self.events_of_order(chance, number, name, placed)

    def orders_of_each(self, chance: Random) -> list[int]:
        """Return how many orders each customer has: one, and the others by chance."""
        counts = [1] * self.customers
        weights = [chance.gammavariate(0.25, 1) for _ in counts]
        again = self.orders - self.customers
        for customer in chance.choices(range(self.customers), weights, k=again):
            counts[customer] += 1
        return counts

    def later(self, chance: Random, weeks: float) -> datetime:
        return BEGIN + timedelta(weeks=weeks + (WEEKS - weeks) * chance.random())

    def events_of_order(
        self, chance: Random, number: int, customer: str, placed: datetime
    ) -> Iterator[Event]:
        stream_id, total = f"order-{number}", chance.randrange(500, 20_000)
        yield placed, stream_id, "OrderCreated", order(chance, customer, total)
        after = placed + timedelta(hours=1 + 100 * chance.random())
        what = chance.random()
        if what < 0.98:
            yield after, stream_id, "PaymentReceived", {"amount": total}
        elif what < 0.99:
            yield after, stream_id, "OrderCancelled", {"reason": "bought twice"}


def details(name: str) -> dict[str, Any]:
    return {"name": f"Buyer {name}", "email": f"{name.split()[0]}@example.com"}


def order(chance: Random, customer: str, total: int) -> dict[str, Any]:
    line = {
        "product": chance.choice(DISCS),
        "quantity": 1,
        "unit_price": total,
        "discount": "0",
    }
    return {
        "customer_id": customer,
        "items": [line],
        "discount": "0",
        "total": total,
        "currency": "USD",
        "address": {"street": "1 Disc Drive", "city": "Penllyn", "country": "US"},
    }


def new_event(
    chance: Random, at: datetime, _: str, kind: str, data: dict[str, Any]
) -> NewEvent:
    about = UUID(int=chance.getrandbits(128))
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
        occurred_at=at,
    )

"""Streams of orders with whatever the log can hold: old events, times that fall."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg

from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent

BEGIN = datetime(2020, 2, 28, 23, 59, 59, 999_999, UTC)
ADDRESS = {"street": "12 Orchestra Terrace", "city": "London", "country": "UK"}


@dataclass(frozen=True, slots=True)
class OrderHistories:
    """Streams of orders by chance, the same for the same *seed*."""

    random: Random

    @classmethod
    def of(cls, seed: int) -> "OrderHistories":
        return cls(Random(seed))

    def append(self, connection: psycopg.Connection[Any], orders: int) -> None:
        """Append the streams `order-1` and so on."""
        for number in range(1, orders + 1):
            stream_id = f"order-{number}"
            events = [(stream_id, event) for event in self.stream()]
            append(connection, events, expected={stream_id: 0})

    def stream(self) -> Iterator[NewEvent]:
        moment = BEGIN + timedelta(days=self.random.randrange(30))
        yield self.event(*self.created(), moment)
        for _ in range(self.random.randrange(8)):
            # Imported times need not rise, and several may be the same.
            seconds = self.random.choice([0, 0, 1e-6, 3_600, 86_400, -1e-6, -7_200])
            moment += timedelta(seconds=seconds)
            yield self.event(*self.later(moment), moment)

    def created(self) -> tuple[str, dict[str, Any], str]:
        discount = self.random.choice(["0", "0.0", "0.05", "0.3333", "1"])
        data = {
            "customer_id": self.random.choice(["ALICE", "17"]),
            "items": [self.line() for _ in range(self.random.randrange(1, 6))],
            "discount": discount,
            "total": self.random.randrange(10**13),
            "address": ADDRESS,
            "currency": self.random.choice(["EUR", "JPY"]),
            "required_date": self.random.choice([None, "2020-04-01"]),
            "freight": self.random.choice([None, 0, 650]),
        }
        if self.random.random() < 0.5:
            return "OrderCreated", data, "2.0"
        del data["discount"]
        return "OrderCreated", data, "1.0"

    def line(self) -> dict[str, Any]:
        line = {
            "product": self.random.choice(["RETRO-CLOCK ⏰", 'a "lamp"']),
            "product_id": self.random.choice([None, "RC-1"]),
            "quantity": self.random.randrange(1, 100_000),
            "unit_price": self.random.randrange(1, 100_000_000_000),
            "discount": self.random.choice(["0", "0.05", "0.1111", "0.9999"]),
        }
        for optional in ("product_id", "discount"):
            # What an event does not have takes its default.
            if self.random.random() < 0.1:
                del line[optional]
        return line

    def later(self, moment: datetime) -> tuple[str, dict[str, Any], str]:
        amount = self.random.randrange(1, 10**13)
        zone = self.random.choice(["Z", "+02:00", "-11:30"])
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("PaymentReceived", {"amount": amount}),
            ("OrderShipped", {"tracking_no": "1Z-999"}),
            ("OrderShipped", {"tracking_no": None}),
            (
                "DeliveryConfirmed",
                {"delivered_at": f"2020-03-{moment.day:02}T09:30:00.5{zone}"},
            ),
            ("OrderCancelled", {"reason": "bought it twice"}),
            (
                "PaymentRefunded",
                {"amount": amount, "currency": "EUR", "customer_id": "17"},
            ),
        ]
        return (*self.random.choice(kinds), "1.0")

    def event(
        self, type_: str, data: dict[str, Any], schema: str, moment: datetime
    ) -> NewEvent:
        about = UUID(int=self.random.getrandbits(128))
        return NewEvent(
            type=type_,
            data=json.dumps(data),
            metadata=Metadata(
                event_id=about,
                correlation_id=about,
                causation_id=about,
                schema=schema,
                source="chance",
            ),
            occurred_at=moment,
        )

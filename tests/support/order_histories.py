"""Streams of orders with whatever the log can hold: old events, times that fall."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from domain.customers.customer import Customer
from domain.customers.events import CustomerDetails
from domain.orders.events import OrderEvent
from domain.orders.state import Order
from eventstore.log.append import append
from eventstore.log.codec import schema_of
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from tasks.shop.deciders import ORDERS
from tests.support.order_commands import (
    LISTED,
    OrderCommands,
    decide_something,
    order_after,
)

BEGIN = datetime(2020, 2, 28, 23, 59, 59, 999_999, UTC)
ADDRESS = {"street": "12 Orchestra Terrace", "city": "London", "country": "UK"}
CUSTOMER = Customer(CustomerDetails(name="Alice"))


@dataclass(frozen=True, slots=True)
class OrderHistories:
    """
    Streams of orders by chance, the same for the same *seed*.

    Some events are of those that imports and old versions wrote, in whatever order; the
    others are decided on the order, so they are what a shop of today writes.
    """

    random: Random

    @classmethod
    def of(cls, seed: int) -> "OrderHistories":
        return cls(Random(seed))

    def append(self, connection: psycopg.Connection[Any], orders: int) -> None:
        """Append the streams `order-1` and so on."""
        for number in range(1, orders + 1):
            stream_id = f"order-{number}"
            events = [(stream_id, event) for event in self.stream(number)]
            append(connection, events, expected={stream_id: 0})

    def stream(self, number: int = 1) -> Iterator[NewEvent]:
        moment = BEGIN + timedelta(days=self.random.randrange(30))
        created = self.event(*self.created(), moment)
        yield created
        order = after(Order(), created)
        for _ in range(self.random.randrange(10)):
            # Imported times need not rise, and several may be the same.
            seconds = self.random.choice([0, 0, 1e-6, 3_600, 86_400, -1e-6, -7_200])
            moment += timedelta(seconds=seconds)
            for event in self.later(order, number, moment):
                yield event
                order = after(order, event)

    def created(self) -> tuple[str, dict[str, Any], str]:
        discount = self.random.choice(["0", "0.0", "0.05", "0.3333", "1"])
        data = {
            "customer_id": self.random.choice(["ALICE", "17"]),
            "items": [self.line() for _ in range(self.random.randrange(1, 6))],
            "discount": discount,
            "total": self.random.randrange(10 ** self.random.choice([1, 5, 13])),
            "address": ADDRESS,
            "currency": self.random.choice(["EUR", "JPY"]),
            "required_date": self.random.choice([None, "2020-04-01"]),
            "freight": self.random.choice([None, 0, 650]),
        }
        version = self.random.choice(["1.0", "2.0", "3.0", "3.0"])
        if version == "1.0":
            del data["discount"]
        if version == "3.0":
            self.lift(data)
        return "OrderCreated", data, version

    def lift(self, data: dict[str, Any]) -> None:
        """Make *data* those of an order of today; some have what an import brings."""
        for place, line in enumerate(data["items"], 1):
            line["number"] = place
        data["terms"] = self.random.choice([None, 0, 14])
        data["carriage"] = data["freight"] if self.random.random() < 0.3 else None
        data["freight"] = 0 if data["carriage"] else data["freight"] or 0

    def line(self) -> dict[str, Any]:
        # Most are so cheap that an order can be changed and still costs little enough.
        is_cheap = self.random.random() < 0.8
        line = {
            "product": self.random.choice(["RETRO-CLOCK ⏰", 'a "lamp"']),
            "product_id": self.random.choice([None, "RC-1"]),
            "quantity": self.random.randrange(1, 4 if is_cheap else 100_000),
            "unit_price": self.random.randrange(1, 10**5 if is_cheap else 10**11),
            "discount": self.random.choice(["0", "0.05", "0.1111", "0.9999"]),
        }
        for optional in ("product_id", "discount"):
            # What an event does not have takes its default.
            if self.random.random() < 0.1:
                del line[optional]
        return line

    def later(self, order: Order, number: int, moment: datetime) -> Iterator[NewEvent]:
        """Yield one event, or what an order of today answers a command with."""
        if self.random.random() < 0.3:
            yield self.event(*self.any_order(order, moment), moment)
            return
        standing = order.standing
        amounts = (standing.due, standing.credit, standing.due // 2, standing.total)
        make = OrderCommands(
            random=self.random,
            amounts=[amount for amount in amounts if amount > 0] or [1],
            day=moment + timedelta(days=1),
            listed=list(LISTED),
        )
        about = number, order.customer_id
        for event in decide_something(make, order, about, CUSTOMER):
            yield self.event(*written(event), moment)

    def any_order(
        self, order: Order, moment: datetime
    ) -> tuple[str, dict[str, Any], str]:
        """Return an event that needs no other, whether it can be or not."""
        amount = self.random.randrange(1, 10**13)
        zone = self.random.choice(["Z", "+02:00", "-11:30"])
        kinds: list[tuple[str, dict[str, Any]]] = [
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
            ("TrackingCorrected", {"parcel": 2, "tracking_no": "1Z-0"}),
            ("PaymentVoided", {"payment": 2, "amount": amount}),
        ]
        if not order.payments:
            # Of old payments an order has one.
            kinds.append(("PaymentReceived", {"amount": amount}))
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


def written(event: OrderEvent) -> tuple[str, dict[str, Any], str]:
    """Return type, data and schema of an event of today, as the log has them."""
    data = msgspec.json.decode(ORDERS.events.encode(event))
    return type(event).__name__, data, schema_of(event)


def after(order: Order, event: NewEvent) -> Order:
    """Return the order after *event*, in whatever version it was written."""
    metadata = msgspec.json.encode(event.metadata).decode()
    moment = event.occurred_at
    assert moment is not None
    recorded = RecordedEvent(0, "order-1", event.type, 1, event.data, metadata, moment)
    for fact in ORDERS.events.read(recorded):
        order = order_after(order, fact, moment)
    return order

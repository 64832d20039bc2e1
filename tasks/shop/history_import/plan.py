"""The plan: every event of an import, in order, before the first is appended."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from domain.days import start_of_day
from domain.orders.events import OrderShipped, PaymentReceived
from domain.products.events import ProductDiscontinued
from eventstore.aggregates.decider import Decider
from eventstore.log.codec import schema_of
from eventstore.log.events import Metadata, NewEvent
from tasks.shop.deciders import CUSTOMERS, ORDERS, PRODUCTS
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.facts import created_event, registered_event
from tasks.shop.history_import.history import History
from tasks.shop.history_import.price_list import price_list_of
from tasks.shop.history_import.rows import MAX_NUMBER

IMPORTS = UUID("0b6c1b3e-52a5-5d0c-9a5e-3f8a4e6b7c21")


class PlannedEvent(NamedTuple):
    """An event with its place in its stream; small, since there may be a million."""

    stream_id: str
    version: int
    type: str
    schema: str
    data: str
    occurred_at: datetime
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The events of a history in the order in which they are appended."""

    source: str
    events: Sequence[PlannedEvent]
    highest_order: int = 0
    highest_customer: int = 0
    highest_product: int = 0
    highest_transfer: int = 0

    @property
    def import_id(self) -> UUID:
        """The causation id and correlation id of all these events."""
        return uuid5(IMPORTS, self.source)

    def new_events(self, some: Sequence[PlannedEvent]) -> list[tuple[str, NewEvent]]:
        """
        Return *some* events as they are appended: the same at each run.

        Those of files have no actor, since the files do not name one.
        """
        import_id = self.import_id
        return [
            (
                planned.stream_id,
                NewEvent(
                    type=planned.type,
                    data=planned.data,
                    metadata=Metadata(
                        event_id=event_id(import_id, planned),
                        correlation_id=import_id,
                        causation_id=import_id,
                        schema=planned.schema,
                        source=self.source,
                        actor=planned.actor,
                    ),
                    occurred_at=planned.occurred_at,
                ),
            )
            for planned in some
        ]


def event_id(import_id: UUID, planned: PlannedEvent) -> UUID:
    """Return the id of an event by source, stream and version."""
    return uuid5(import_id, f"{planned.stream_id}\n{planned.version}")


midnight = cache(start_of_day)
"""When a day began: of a million events, few days are asked for again and again."""

Turn = tuple[datetime, int, str | int, PlannedEvent]
"""An event's time, and its rank and subject, which order events of the same time."""
REGISTERED, LISTED, CREATED, SHIPPED, PAID, DISCONTINUED = range(6)


def plan_of(
    history: History,
    *,
    source: str,
    currency: str,
    zone: ZoneInfo,
    paid_when_shipped: bool = False,
) -> Plan:
    """
    Return the plan of a history, which has no payments of its own.

    With *paid_when_shipped* each order that was shipped is paid in full on that day.
    Raises ImportRefused if no order is left.
    """
    if not history.orders:
        raise ImportRefused("there is no order to import")
    turns = [
        *registrations(history, zone),
        *listings(history, currency, zone),
        *orders(history, currency, zone, paid_when_shipped=paid_when_shipped),
    ]
    turns.sort(key=lambda turn: turn[:3])
    return Plan(
        source=source,
        events=[planned for *_, planned in turns],
        highest_order=max(history.orders),
        highest_customer=highest_number(history.customers),
        highest_product=highest_number(history.products),
    )


def registrations(history: History, zone: ZoneInfo) -> Iterator[Turn]:
    """Yield the customers, each at the day of its first order, or else of the first."""
    firsts: dict[str, date] = {}
    for order in history.orders.values():
        day = firsts.get(order.customer_id, order.order_date)
        firsts[order.customer_id] = min(day, order.order_date)
    earliest = min(firsts.values())
    for customer_id, customer in history.customers.items():
        at = midnight(firsts.get(customer_id, earliest), zone)
        event = registered_event(customer)
        yield at, REGISTERED, customer_id, plan(CUSTOMERS, customer_id, 1, event, at)


def listings(history: History, currency: str, zone: ZoneInfo) -> Iterator[Turn]:
    """Yield the products of the price list, each at the day of its first order."""
    for product_id, listed in price_list_of(history, currency).products.items():
        at = midnight(listed.since, zone)
        added = plan(PRODUCTS, product_id, 1, listed.added, at)
        yield at, LISTED, product_id, added
        if listed.until is not None:
            at = midnight(listed.until, zone)
            gone = plan(PRODUCTS, product_id, 2, ProductDiscontinued(), at)
            yield at, DISCONTINUED, product_id, gone


def orders(
    history: History, currency: str, zone: ZoneInfo, *, paid_when_shipped: bool
) -> Iterator[Turn]:
    """Yield each order, its shipping, if any, and the payment that goes with it."""
    for number, order in history.orders.items():
        at = midnight(order.order_date, zone)
        event = created_event(order, history.items[number], currency)
        yield at, CREATED, number, plan(ORDERS, number, 1, event, at)
        if order.shipped_date is None:
            continue
        left = midnight(order.shipped_date, zone)
        # A shipping date before the order's is kept as the time; in the stream the
        # shipping still comes second.
        turn = max(at, left)
        yield turn, SHIPPED, number, plan(ORDERS, number, 2, OrderShipped(), left)
        if paid_when_shipped and event.total:
            # Behind the shipping, so that a second run can add it to a first without.
            paid = PaymentReceived(payment=1, amount=event.total)
            yield turn, PAID, number, plan(ORDERS, number, 3, paid, left)


def plan(
    decider: Decider, subject: str | int, version: int, event: object, at: datetime
) -> PlannedEvent:
    return PlannedEvent(
        stream_id=f"{decider.category}-{subject}",
        version=version,
        type=type(event).__name__,
        schema=schema_of(event),
        data=decider.events.encode(event),
        occurred_at=at,
    )


def highest_number(ids: Iterable[str]) -> int:
    """
    Return the highest id that a sequence of the shop could assign again, or 0.

    Ids far above are ignored: the sequence never gets that far.
    """
    numbers = (int(i) for i in ids if re.fullmatch("[1-9][0-9]{0,12}", i))
    return max((n for n in numbers if n <= MAX_NUMBER), default=0)

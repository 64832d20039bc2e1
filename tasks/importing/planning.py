"""Planning: which events a history is, and in which order they are appended."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from domain.orders.events import OrderShipped
from eventstore.decider import Decider
from eventstore.log.codec import schema_of
from tasks.bootstrap import CUSTOMERS, ORDERS
from tasks.importing.errors import ImportRefused
from tasks.importing.events import created, registered
from tasks.importing.history import History
from tasks.importing.plan import Plan, Planned
from tasks.importing.rows import HIGHEST_NUMBER

Turn = tuple[datetime, int, str | int, Planned]
"""When an event has its turn; its rank and its subject order those of one moment."""
REGISTERED, CREATED, SHIPPED = range(3)


def plan_of(history: History, *, source: str, currency: str, zone: ZoneInfo) -> Plan:
    """Return the plan of a history. Raises ImportRefused where no order is left."""
    if not history.orders:
        raise ImportRefused("there is no order to import")
    turns = [*registrations(history, zone), *orders(history, currency, zone)]
    turns.sort(key=lambda turn: turn[:3])
    return Plan(
        source=source,
        events=[planned for *_, planned in turns],
        highest_order=max(history.orders),
        highest_customer=highest_number(history.customers),
    )


def registrations(history: History, zone: ZoneInfo) -> Iterator[Turn]:
    """Yield the customers, each at the day of the first order, or of all orders'."""
    firsts: dict[str, date] = {}
    for order in history.orders.values():
        day = firsts.get(order.customer_id, order.order_date)
        firsts[order.customer_id] = min(day, order.order_date)
    earliest = min(firsts.values())
    for customer_id, customer in history.customers.items():
        at = midnight(firsts.get(customer_id, earliest), zone)
        event = registered(customer)
        yield at, REGISTERED, customer_id, plan(CUSTOMERS, customer_id, 1, event, at)


def orders(history: History, currency: str, zone: ZoneInfo) -> Iterator[Turn]:
    """Yield each order and, where there was one, its shipping."""
    for number, order in history.orders.items():
        at = midnight(order.order_date, zone)
        event = created(order, history.items[number], currency)
        yield at, CREATED, number, plan(ORDERS, number, 1, event, at)
        if order.shipped_date is not None:
            left = midnight(order.shipped_date, zone)
            # Where the files say that it left before it was ordered, that is kept as
            # the time; in its stream it still comes second.
            turn = max(at, left)
            yield turn, SHIPPED, number, plan(ORDERS, number, 2, OrderShipped(), left)


def plan(
    decider: Decider, subject: str | int, version: int, event: object, at: datetime
) -> Planned:
    return Planned(
        stream_id=f"{decider.category}-{subject}",
        version=version,
        type=type(event).__name__,
        schema=schema_of(event),
        data=decider.events.encode(event),
        occurred_at=at,
    )


@cache
def midnight(day: date, zone: ZoneInfo) -> datetime:
    """
    Return when *day* began in *zone*.

    Where clocks went forward at midnight there is no 00:00: it is the moment at which
    they did. Where it came twice it is the first.
    """
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def highest_number(customer_ids: Iterable[str]) -> int:
    """
    Return the highest id that the shop might give to another customer, or 0.

    An id far above is none: the shop never counts that far.
    """
    numbers = (int(i) for i in customer_ids if re.fullmatch("[1-9][0-9]{0,12}", i))
    return max((n for n in numbers if n <= HIGHEST_NUMBER), default=0)

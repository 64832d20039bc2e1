"""The process manager of unpaid orders: it cancels them after some days."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from domain.days import start_of_day
from domain.orders.commands import CancelUnpaidOrder
from domain.orders.events import CancellationPutOff, OrderCreated

EVENTS = (OrderCreated, CancellationPutOff)


def react(stream_id: str, event: object, *, days: int) -> Sequence[CancelUnpaidOrder]:
    """Return the command that cancels an order if nothing is paid of it until then."""
    order_id = int(stream_id.partition("-")[2])
    match event:
        case OrderCreated(total=total) if total > 0:
            return [CancelUnpaidOrder(order_id=order_id, days=days)]
        case CancellationPutOff(until=until):
            return [CancelUnpaidOrder(order_id=order_id, days=days, until=until)]
        case _:
            # All of it is a gift: nothing is due.
            return []


def due_at(
    event: object, occurred_at: datetime, *, days: int, zone: tzinfo
) -> datetime:
    """
    Return when the command that follows *event* is due.

    That is *days* after the order was to be paid, or at the end of the day, in *zone*,
    to which it was put off.
    """
    match event:
        case OrderCreated(terms=terms):
            return occurred_at + timedelta(days=days + (terms or 0))
        case CancellationPutOff(until=until):
            return start_of_day(until + timedelta(days=1), zone)
        case _:
            return occurred_at

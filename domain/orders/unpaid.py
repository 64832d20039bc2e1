"""The process manager of unpaid orders: it cancels them after some days."""

from collections.abc import Sequence

from domain.orders.commands import CancelUnpaidOrder
from domain.orders.events import OrderCreated

EVENTS = (OrderCreated,)


def react(stream_id: str, event: object, *, days: int) -> Sequence[CancelUnpaidOrder]:
    """Return the command that cancels a new order, *days* later, if it is not paid."""
    match event:
        case OrderCreated(total=total) if total > 0:
            order_id = int(stream_id.partition("-")[2])
            return [CancelUnpaidOrder(order_id=order_id, days=days)]
        case _:
            # All of it is a gift: nothing is due.
            return []

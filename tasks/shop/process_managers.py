"""The process managers of the shop."""

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from functools import partial
from typing import Any

from domain.customers import first_order
from domain.orders import refunds, unpaid
from domain.orders.upcasters import OF_CREATED
from domain.transfers import process as transfers
from eventstore.subscriptions.process_manager import ProcessManager

TRANSFERS = ProcessManager(
    name="transfers", events=transfers.EVENTS, react=transfers.react
)
FIRST_ORDERS = ProcessManager(
    name="first_orders",
    events=first_order.EVENTS,
    react=first_order.react,
    # The order is theirs who registered the customer with it.
    acts_for_sender=True,
)
REFUNDS = ProcessManager(name="refunds", events=refunds.EVENTS, react=refunds.react)


def unpaid_orders(days: int | None, zone: tzinfo) -> ProcessManager:
    """
    Return the process manager that cancels orders unpaid for *days*; None: never.

    Days end when they do in *zone*, the shop's.
    """
    react: Callable[[str, Any], Iterable[Any]] = nothing_follows
    if days is not None:
        react = partial(unpaid.react, days=days)
    return ProcessManager(
        name="unpaid_orders",
        events=unpaid.EVENTS,
        react=react,
        due_at=partial(unpaid.due_at, days=days or 0, zone=zone),
        upcasters=OF_CREATED,
    )


def nothing_follows(stream_id: str, event: object) -> Sequence[object]:
    """Return no command: switched off, it still reads, to skip these events later."""
    return ()


def process_managers(days_unpaid: int | None, zone: tzinfo) -> Sequence[ProcessManager]:
    """Return all process managers of a shop in a time zone."""
    return (TRANSFERS, REFUNDS, FIRST_ORDERS, unpaid_orders(days_unpaid, zone))

"""
The standing of an order: how far it is, and its money.

Read models keep it in their rows, and fold it as the order itself does.
"""

from dataclasses import dataclass, replace

from domain.orders import events
from domain.orders.events import OrderEvent
from domain.orders.status import Status

RANKS = {status: rank for rank, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class Standing:
    """
    Amounts are in minor units: *total* is what the order costs, freight included.

    *paid* is what came in without what was voided, *refunded* what of it went back. At
    every step what it costs, which is nothing once it is cancelled, equals
    paid - refunded + due - credit, and one of the last two is 0.
    """

    status: Status = Status.NONE
    total: int = 0
    paid: int = 0
    refunded: int = 0

    @property
    def owed(self) -> int:
        """What is not paid of the total, cancelled or not; negative if too much was."""
        return self.total - self.paid + self.refunded

    @property
    def balance(self) -> int:
        """What is due, or negative: what can be refunded."""
        is_off = self.status is Status.CANCELLED
        return self.refunded - self.paid if is_off else self.owed

    @property
    def due(self) -> int:
        """What is still to be paid."""
        return max(0, self.balance)

    @property
    def credit(self) -> int:
        """What was paid and is not due: it can be refunded."""
        return max(0, -self.balance)


def standing_after(standing: Standing, event: OrderEvent) -> Standing:
    """Return the standing of an order after *event*; no rules are checked."""
    changed = with_money(standing, event)
    reached = status_reached(event)
    if reached is not None and RANKS[reached] > RANKS[changed.status]:
        return replace(changed, status=reached)
    if changed.status.is_open or changed.status is Status.NONE:
        status = Status.PENDING if changed.due else Status.PAID
        return replace(changed, status=status)
    return changed


def with_money(standing: Standing, event: OrderEvent) -> Standing:
    match event:
        case (
            events.OrderCreated(total=total)
            | events.OrderItemsChanged(total=total)
            | events.OrderReturned(total=total)
        ):
            return replace(standing, total=total)
        case events.PaymentReceived(amount=amount):
            return replace(standing, paid=standing.paid + amount)
        case events.PaymentVoided(amount=amount):
            return replace(standing, paid=standing.paid - amount)
        case events.PaymentRefunded(amount=amount):
            return replace(standing, refunded=standing.refunded + amount)
        case _:
            return standing


def status_reached(event: OrderEvent) -> Status | None:
    """Return the status that an order has reached with *event*, if it tells of one."""
    match event:
        case events.OrderCancelled():
            return Status.CANCELLED
        case (
            events.OrderReturned(is_all=True)
            | events.OrderItemsChanged(is_returned=True)
        ):
            return Status.RETURNED
        case events.DeliveryConfirmed():
            return Status.DELIVERED
        case events.OrderShipped() | events.OrderItemsChanged(is_shipped=True):
            return Status.SHIPPED
        case _:
            return None

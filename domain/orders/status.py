"""How far an order is: its statuses, and which events lead from one to the next."""

from enum import StrEnum

from domain.orders import events
from domain.orders.events import OrderEvent


class Status(StrEnum):
    """How far an order is; NONE is a stream without events."""

    NONE = "none"
    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


def status_after(status: Status, event: OrderEvent) -> Status:
    """Return the status of an order after *event*; others leave it as it was."""
    match event:
        case events.OrderCreated():
            return Status.PENDING
        case events.PaymentReceived():
            # An imported history may know of the payment after the parcel.
            return Status.PAID if status is Status.PENDING else status
        case events.OrderShipped():
            return Status.SHIPPED
        case events.DeliveryConfirmed():
            return Status.DELIVERED
        case events.OrderCancelled():
            return Status.CANCELLED
        case _:
            return status

"""How far an order is: its statuses."""

from enum import StrEnum


class Status(StrEnum):
    """
    How far an order is; NONE is a stream without events.

    One status, derived, in rising order: the last of these that is true. An order is
    pending while anything is due, and paid when nothing is; shipped with its last
    parcel; returned when nothing of it is left with the customer.
    """

    NONE = "none"
    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    RETURNED = "returned"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """True while not all of the order is shipped, and it is not cancelled."""
        return self in (Status.PENDING, Status.PAID)

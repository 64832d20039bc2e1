"""The events of an order."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from domain.address import Address
from domain.fields import PERSONAL
from domain.orders.lines import Line, LineQuantity


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated:
    """
    The order was placed; *total*, in minor units of *currency*, is what it costs.

    It has the *freight* in it, and the *discount* on the whole order, after those of
    the lines. *terms* are the days to pay, None: before it is shipped. *carriage* is
    what sending it cost where nobody was asked for it: orders before version 3, and
    imported ones. What earlier versions lacked: `upcasters.py`.
    """

    schema_version: ClassVar[str] = "3.0"

    customer_id: str
    items: tuple[Line, ...]
    discount: Decimal
    freight: int
    total: int
    terms: int | None
    address: Address = field(metadata=PERSONAL)
    currency: str
    required_date: date | None = None
    carriage: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderItemsChanged:
    """
    The order has these lines from then on, and costs *total*, with *freight* in it.

    It *is_shipped* if what is left on it had all been shipped before, and *is_returned*
    if all of that came back.
    """

    items: tuple[Line, ...]
    discount: Decimal
    freight: int
    total: int
    is_shipped: bool
    is_returned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippingAddressChanged:
    """The order goes to this address from then on."""

    customer_id: str
    address: Address = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceived:
    """
    *amount*, in minor units of the order's currency, came in.

    *payment* counts the order's payments from 1. Before version 2 there was one, of all
    that was due.
    """

    schema_version: ClassVar[str] = "2.0"

    payment: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentVoided:
    """The *payment*, of *amount*, was none: a mistake, or it bounced."""

    payment: int
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelShipped:
    """A part of the order was shipped; the rest follows."""

    tracking_no: str
    lines: tuple[LineQuantity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped:
    """
    All that was left of the order was shipped, as its last parcel.

    An imported one has no tracking number.
    """

    tracking_no: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingCorrected:
    """A *parcel*, counted from 1, has this tracking number."""

    parcel: int
    tracking_no: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfirmed:
    """The order arrived at *delivered_at*; the event occurred when it was recorded."""

    delivered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReturned:
    """
    These lines came back; the order costs *total* from then on, *freight* in it.

    *is_all*: nothing of the order is left with the customer.
    """

    lines: tuple[LineQuantity, ...]
    freight: int
    total: int
    is_all: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """The order was cancelled; *reason* says why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationPutOff:
    """The order is not cancelled for being unpaid before the end of the day *until*."""

    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded:
    """*amount*, in minor units of *currency*, was paid to the customer's account."""

    amount: int
    currency: str
    customer_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A colleague noted something about the order."""

    customer_id: str
    text: str = field(metadata=PERSONAL)


OrderEvent = (
    OrderCreated
    | OrderItemsChanged
    | ShippingAddressChanged
    | PaymentReceived
    | PaymentVoided
    | ParcelShipped
    | OrderShipped
    | TrackingCorrected
    | DeliveryConfirmed
    | OrderReturned
    | OrderCancelled
    | CancellationPutOff
    | PaymentRefunded
    | NoteAdded
)

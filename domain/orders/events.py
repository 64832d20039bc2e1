"""The events of an order."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from domain.address import Address
from domain.fields import PERSONAL
from domain.orders.commands import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCreated:
    """
    The order was placed; *total*, in minor units of *currency*, never changes.

    It has the *discount* on the whole order in it, after those of the lines. Before
    version 2 orders had none: `upcasters.py`.
    """

    schema_version: ClassVar[str] = "2.0"

    customer_id: str
    items: tuple[Item, ...]
    discount: Decimal
    total: int
    address: Address = field(metadata=PERSONAL)
    currency: str
    required_date: date | None = None
    freight: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReceived:
    """The order was paid; *amount* is in minor units of the order's currency."""

    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderShipped:
    """The order was shipped; an imported one has no tracking number."""

    tracking_no: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryConfirmed:
    """The order arrived at *delivered_at*; the event occurred when it was recorded."""

    delivered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCancelled:
    """The order was cancelled; *reason* says why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded:
    """*amount*, in minor units of *currency*, was paid to the customer's account."""

    amount: int
    currency: str
    customer_id: str


OrderEvent = (
    OrderCreated
    | PaymentReceived
    | OrderShipped
    | DeliveryConfirmed
    | OrderCancelled
    | PaymentRefunded
)

"""The commands of an order."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from domain.address import Address
from domain.fields import (
    MAX_LINES,
    PERSONAL,
    Amount,
    Currency,
    CustomerId,
    Days,
    Discount,
    Freight,
    Name,
    OrderNumber,
    Quantity,
    Reason,
    Several,
    ShortText,
    Total,
)

EMPTY_ORDER = "EmptyOrder: an order has at least one line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of an order; *unit_price* is in minor units of the shop's currency."""

    product: Name
    product_id: ShortText | None = None
    quantity: Quantity
    unit_price: Amount
    discount: Discount = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """
    Place an order; it gets its number when it is accepted.

    Its own *discount* is applied after those of its lines.
    """

    customer_id: CustomerId
    items: Annotated[tuple[Item, ...], Several(MAX_LINES, EMPTY_ORDER)]
    address: Address = field(metadata=PERSONAL)
    currency: Currency
    required_date: date | None = None
    freight: Freight | None = None
    discount: Discount = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivePayment:
    """Record the payment of an order; *amount* is in minor units."""

    order_id: OrderNumber
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipOrder:
    """Hand an order to a carrier."""

    order_id: OrderNumber
    tracking_no: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDelivery:
    """Record the delivery of an order."""

    order_id: OrderNumber
    delivered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel an order."""

    order_id: OrderNumber
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnpaidOrder:
    """Cancel an order that was not paid within *days* after it was placed."""

    order_id: OrderNumber
    days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Refund the payment of a cancelled order, all of it or a part."""

    order_id: OrderNumber
    amount: Total


OrderCommand = (
    PlaceOrder
    | ReceivePayment
    | ShipOrder
    | ConfirmDelivery
    | CancelOrder
    | CancelUnpaidOrder
    | RefundPayment
)

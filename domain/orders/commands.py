"""What can be asked of an order's stream."""

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

    Its own *discount* counts after those of its lines.
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
    """Note that an order was paid; *amount* is in minor units."""

    order_id: OrderNumber
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipOrder:
    """Hand an order to a carrier."""

    order_id: OrderNumber
    tracking_no: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDelivery:
    """Note that an order has arrived."""

    order_id: OrderNumber
    delivered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Call an order off."""

    order_id: OrderNumber
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnpaidOrder:
    """Call an order off that is not paid *days* after it was placed."""

    order_id: OrderNumber
    days: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Give back what was paid for a cancelled order, all of it or a part."""

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

"""The commands of an order."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from domain.address import Address
from domain.errors import Fault
from domain.fields import (
    MAX_LINES,
    PERSONAL,
    PRODUCT_ID,
    Amount,
    Currency,
    CustomerId,
    Days,
    Discount,
    Freight,
    LineNumber,
    Name,
    Note,
    OrderNumber,
    ParcelNumber,
    PaymentNumber,
    Quantity,
    Reason,
    Several,
    ShortText,
    Terms,
    Total,
)
from domain.orders.lines import LineQuantities

EMPTY_ORDER = "EmptyOrder: an order has at least one line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """
    One line of an order; *unit_price* is in minor units of the shop's currency.

    Without *product* it names a product of the price list by its *product_id*: its name
    is the list's, and so is its price, unless another was agreed on. With *product* it
    is a free line: it says itself what it is and what one costs, and *product_id*, if
    any, is only noted.
    """

    product: Name | None = None
    product_id: ShortText | None = None
    quantity: Quantity
    unit_price: Amount | None = None
    discount: Discount = Decimal(0)

    @property
    def is_free(self) -> bool:
        return self.product is not None

    def faults(self) -> list[Fault]:
        """Return what is missing of a line that names no product of the list."""
        if self.product is None:
            if self.product_id is None:
                return [Fault("product", "is missing, and so is product_id")]
            problem = PRODUCT_ID.problem(self.product_id)
            return [Fault("product_id", problem)] if problem else []
        if self.unit_price is None:
            return [Fault("unit_price", "is missing: the line names its own product")]
        return []


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedItem:
    """
    One line of an order as it is from now on.

    With *line* it is the order's line of that number, and what is left out stays as it
    is; without, it is a new line, like those of PlaceOrder.
    """

    line: LineNumber | None = None
    product: Name | None = None
    product_id: ShortText | None = None
    quantity: Quantity
    unit_price: Amount | None = None
    discount: Discount | None = None

    def faults(self) -> list[Fault]:
        """Return what is missing of a new line, or too much of an old one."""
        if self.line is None:
            return self.as_item().faults()
        return [
            Fault(name, "is left out for a line that the order has: add a new line")
            for name in ("product", "product_id")
            if getattr(self, name) is not None
        ]

    def as_item(self) -> Item:
        """Return the line as a new one."""
        return Item(
            product=self.product,
            product_id=self.product_id,
            quantity=self.quantity,
            unit_price=self.unit_price,
            discount=self.discount or Decimal(0),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """
    Place an order; it gets its number when it is accepted.

    Its own *discount* is applied after those of its lines; *freight* is added to what
    is to be paid. *terms* are the days that the customer has to pay, from the day when
    it is placed; without them it is to be paid before it is shipped.
    """

    customer_id: CustomerId
    items: Annotated[tuple[Item, ...], Several(MAX_LINES, EMPTY_ORDER)]
    address: Address = field(metadata=PERSONAL)
    currency: Currency
    required_date: date | None = None
    freight: Freight | None = None
    discount: Discount = Decimal(0)
    terms: Terms | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeItems:
    """
    Replace the lines of an order; until all of it is shipped.

    A line that is not named is removed. *discount*, on all of it, and *freight* stay as
    they are if they are left out.
    """

    order_id: OrderNumber
    items: Annotated[tuple[ChangedItem, ...], Several(MAX_LINES, EMPTY_ORDER)]
    discount: Discount | None = None
    freight: Freight | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAddress:
    """
    Send an order to another address; until it is delivered.

    The customer is named since the address is encrypted with the customer's key.
    """

    order_id: OrderNumber
    customer_id: CustomerId
    address: Address = field(metadata=PERSONAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivePayment:
    """Record a payment of an order, all of it or a part; *amount* is in minor units."""

    order_id: OrderNumber
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidPayment:
    """Take back a payment: a mistake, or it bounced; *payment* counts from 1."""

    order_id: OrderNumber
    payment: PaymentNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipOrder:
    """Hand an order, or all of it that is left, to a carrier."""

    order_id: OrderNumber
    tracking_no: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipParcel:
    """Hand some lines of an order to a carrier; the rest follows."""

    order_id: OrderNumber
    tracking_no: ShortText
    lines: LineQuantities


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectTracking:
    """Correct the tracking number of a parcel; *parcel* counts from 1."""

    order_id: OrderNumber
    parcel: ParcelNumber
    tracking_no: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmDelivery:
    """Record the delivery of an order."""

    order_id: OrderNumber
    delivered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnOrder:
    """
    Record what came back of an order: some lines, or without *lines* all of them.

    What they cost is due no longer, or can be refunded; so is the freight if the return
    is *with_freight*.
    """

    order_id: OrderNumber
    lines: LineQuantities | None = None
    with_freight: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """Cancel an order."""

    order_id: OrderNumber
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelUnpaidOrder:
    """
    Cancel an order of which nothing was paid within *days* after it was to be paid.

    *until* is the day to which this was put off, if it was.
    """

    order_id: OrderNumber
    days: Days
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOffCancellation:
    """Leave an order that is not paid alone until the end of a day."""

    order_id: OrderNumber
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPayment:
    """Refund what was paid for an order and is not due for it, all or a part."""

    order_id: OrderNumber
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """
    Add a note to an order, for colleagues.

    The customer is named since the note is encrypted with the customer's key.
    """

    order_id: OrderNumber
    customer_id: CustomerId
    text: Note = field(metadata=PERSONAL)


OrderCommand = (
    PlaceOrder
    | ChangeItems
    | ChangeAddress
    | ReceivePayment
    | VoidPayment
    | ShipOrder
    | ShipParcel
    | CorrectTracking
    | ConfirmDelivery
    | ReturnOrder
    | CancelOrder
    | CancelUnpaidOrder
    | PutOffCancellation
    | RefundPayment
    | AddNote
)

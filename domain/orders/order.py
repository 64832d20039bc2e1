"""The order: which commands it accepts, and what each event makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from domain.customers.customer import (
    Customer,
    CustomerIsForgotten,
    UnknownCustomer,
)
from domain.fields import MAX_TOTAL
from domain.money import Money, rounded_total
from domain.orders.commands import (
    CancelOrder,
    CancelUnpaidOrder,
    ConfirmDelivery,
    Item,
    OrderCommand,
    PlaceOrder,
    ReceivePayment,
    RefundPayment,
    ShipOrder,
)
from domain.orders.events import (
    DeliveryConfirmed,
    OrderCancelled,
    OrderCreated,
    OrderEvent,
    OrderShipped,
    PaymentReceived,
    PaymentRefunded,
)
from domain.orders.rules import (
    DeliveredTooEarly,
    EmptyOrder,
    NothingToRefund,
    OrderAlreadyCancelled,
    OrderAlreadyDelivered,
    OrderAlreadyPaid,
    OrderAlreadyPlaced,
    OrderAlreadyShipped,
    OrderNotCancelled,
    OrderNotPaid,
    OrderNotShipped,
    OrderTooDear,
    RefundTooHigh,
    UnknownOrder,
    WrongAmount,
)


class Status(StrEnum):
    """How far an order is; NONE is a stream without events."""

    NONE = "none"
    PENDING = "pending"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


NOTHING = Money(0, "")


@dataclass(frozen=True, slots=True)
class Order:
    """An order, as its events so far leave it."""

    status: Status = Status.NONE
    total: Money = NOTHING
    paid: Money | None = None
    tracking_no: str | None = None
    customer_id: str | None = None
    refunded: Money = NOTHING
    # By the log: what was decided in the same moment has no time yet.
    placed_at: datetime | None = None
    shipped_at: datetime | None = None


def reads(command: OrderCommand) -> dict[str, str]:
    """Return the other streams whose state *command* is decided on, by their name."""
    match command:
        case PlaceOrder():
            return {"customer": f"customer-{command.customer_id}"}
        case _:
            return {}


def customer_of(stream_id: str, message: PlaceOrder | OrderCreated) -> str:
    """Return the stream of the customer whom the address in *message* tells of."""
    return f"customer-{message.customer_id}"


def decide(
    order: Order, command: OrderCommand, *, customer: Customer | None = None
) -> list[OrderEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    if isinstance(command, PlaceOrder):
        return place(order, command, customer or Customer())
    if order.status is Status.NONE:
        raise UnknownOrder(order_id=command.order_id)
    match command:
        case ReceivePayment():
            return receive_payment(order, command)
        case ShipOrder():
            return ship(order, command)
        case ConfirmDelivery():
            return confirm_delivery(order, command)
        case CancelOrder():
            return cancel(order, command)
        case CancelUnpaidOrder():
            return cancel_unpaid(order, command)
        case RefundPayment():
            return refund(order, command)
        case _:
            assert_never(command)


def place(order: Order, command: PlaceOrder, customer: Customer) -> list[OrderEvent]:
    if not command.items:
        raise EmptyOrder(lines=0)
    if customer.is_forgotten:
        raise CustomerIsForgotten(customer_id=command.customer_id)
    if not customer.is_registered:
        raise UnknownCustomer(customer_id=command.customer_id)
    if order.status is not Status.NONE:
        raise OrderAlreadyPlaced(status=order.status)
    total = total_of(command.items, command.discount)
    if total > MAX_TOTAL:
        raise OrderTooDear(
            highest=Money(MAX_TOTAL, command.currency),
            total=Money(total, command.currency),
        )
    return [
        OrderCreated(
            customer_id=command.customer_id,
            items=command.items,
            discount=command.discount,
            total=total,
            address=command.address,
            currency=command.currency,
            required_date=command.required_date,
            freight=command.freight,
        )
    ]


def total_of(items: Iterable[Item], discount: Decimal = Decimal(0)) -> int:
    """Return what an order of these lines is worth, in minor units."""
    lines = ((i.unit_price, i.quantity, i.discount) for i in items)
    return rounded_total(lines, discount)


def receive_payment(order: Order, command: ReceivePayment) -> list[OrderEvent]:
    match order.status:
        case Status.PENDING if command.amount == order.total.amount:
            return [PaymentReceived(amount=command.amount)]
        case Status.PENDING:
            raise WrongAmount(
                due=order.total, received=replace(order.total, amount=command.amount)
            )
        case Status.CANCELLED:
            raise OrderAlreadyCancelled(order_id=command.order_id)
        case _ if order.paid is None:
            # Only an imported order is shipped without a payment that we know of.
            raise OrderAlreadyShipped(tracking_no=order.tracking_no or "none")
        case _:
            raise OrderAlreadyPaid(paid=order.paid)


def ship(order: Order, command: ShipOrder) -> list[OrderEvent]:
    match order.status:
        case Status.PENDING if not order.total.amount:
            # All of it is a gift: nobody can pay nothing.
            return [OrderShipped(tracking_no=command.tracking_no)]
        case Status.PAID:
            return [OrderShipped(tracking_no=command.tracking_no)]
        case Status.CANCELLED:
            raise OrderAlreadyCancelled(order_id=command.order_id)
        case Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped(tracking_no=order.tracking_no or "none")
        case _:
            raise OrderNotPaid(due=order.total)


def confirm_delivery(order: Order, command: ConfirmDelivery) -> list[OrderEvent]:
    match order.status:
        case Status.SHIPPED:
            check_arrival(order, command.delivered_at)
            return [DeliveryConfirmed(delivered_at=command.delivered_at)]
        case Status.DELIVERED:
            raise OrderAlreadyDelivered(order_id=command.order_id)
        case _:
            raise OrderNotShipped(status=order.status)


def check_arrival(order: Order, delivered_at: datetime) -> None:
    """Raise DeliveredTooEarly for a day before it was placed or shipped."""
    arrived = delivered_at.date()
    for status, moment in (("placed", order.placed_at), ("shipped", order.shipped_at)):
        # By days as clocks show them where it arrived: people note it later, and round.
        day = arrived if moment is None else local_day(moment, delivered_at)
        if arrived < day:
            raise DeliveredTooEarly(arrived=str(arrived), status=status, day=str(day))


def local_day(moment: datetime, there: datetime) -> date:
    """Return the day of *moment* by the clock that *there* was read from."""
    return moment.astimezone(there.tzinfo).date()


def cancel(order: Order, command: CancelOrder) -> list[OrderEvent]:
    match order.status:
        case Status.CANCELLED:
            return []
        case Status.SHIPPED | Status.DELIVERED:
            raise OrderAlreadyShipped(tracking_no=order.tracking_no or "none")
        case _:
            return [OrderCancelled(reason=command.reason)]


def cancel_unpaid(order: Order, command: CancelUnpaidOrder) -> list[OrderEvent]:
    """A customer who has paid in time, or called it off, need not hear of it."""
    if order.status is not Status.PENDING:
        return []
    return [OrderCancelled(reason=f"It was not paid within {command.days} days.")]


def refund(order: Order, command: RefundPayment) -> list[OrderEvent]:
    if order.status is not Status.CANCELLED:
        raise OrderNotCancelled(status=order.status)
    if order.paid is None or order.customer_id is None:
        raise NothingToRefund(order_id=command.order_id)
    left = order.paid.amount - order.refunded.amount
    if command.amount > left:
        raise RefundTooHigh(
            paid=order.paid,
            left=replace(order.paid, amount=left),
            asked=replace(order.paid, amount=command.amount),
        )
    return [
        PaymentRefunded(
            amount=command.amount,
            currency=order.paid.currency,
            customer_id=order.customer_id,
        )
    ]


def evolve(order: Order, event: OrderEvent) -> Order:
    """Return the order as it is after *event*: history is not judged."""
    match event:
        case OrderCreated():
            return replace(
                order,
                status=Status.PENDING,
                total=Money(event.total, event.currency),
                customer_id=event.customer_id,
            )
        case PaymentReceived():
            paid = replace(order.total, amount=event.amount)
            # An imported history may know of the payment after the parcel.
            is_first = order.status is Status.PENDING
            status = Status.PAID if is_first else order.status
            return replace(order, status=status, paid=paid)
        case OrderShipped():
            return replace(order, status=Status.SHIPPED, tracking_no=event.tracking_no)
        case DeliveryConfirmed():
            return replace(order, status=Status.DELIVERED)
        case OrderCancelled():
            return replace(order, status=Status.CANCELLED)
        case PaymentRefunded():
            amount = order.refunded.amount + event.amount
            return replace(order, refunded=Money(amount, event.currency))
        case _:
            assert_never(event)


def note_time(order: Order, event: OrderEvent, occurred_at: datetime) -> Order:
    """Return the order with the time of *event*, where a rule asks for it."""
    match event:
        case OrderCreated():
            return replace(order, placed_at=occurred_at)
        case OrderShipped():
            return replace(order, shipped_at=occurred_at)
        case _:
            return order

"""The order: which commands it accepts, and what each event makes of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from domain.customers.customer import (
    Customer,
    CustomerIsForgotten,
    UnknownCustomer,
)
from domain.fields import MAX_TOTAL
from domain.money import Money, rounded_total
from domain.orders import commands, events, rules
from domain.orders.commands import Item, OrderCommand
from domain.orders.events import OrderEvent
from domain.orders.status import Status, status_after

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
        case commands.PlaceOrder():
            return {"customer": f"customer-{command.customer_id}"}
        case _:
            return {}


def customer_of(
    stream_id: str, message: commands.PlaceOrder | events.OrderCreated
) -> str:
    """Return the stream of the customer to whom the address in *message* belongs."""
    return f"customer-{message.customer_id}"


def decide(
    order: Order, command: OrderCommand, *, customer: Customer | None = None
) -> list[OrderEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    if isinstance(command, commands.PlaceOrder):
        return place(order, command, customer or Customer())
    if order.status is Status.NONE:
        raise rules.UnknownOrder(order_id=command.order_id)
    match command:
        case commands.ReceivePayment():
            return receive_payment(order, command)
        case commands.ShipOrder():
            return ship(order, command)
        case commands.ConfirmDelivery():
            return confirm_delivery(order, command)
        case commands.CancelOrder():
            return cancel(order, command)
        case commands.CancelUnpaidOrder():
            return cancel_unpaid(order, command)
        case commands.RefundPayment():
            return refund(order, command)
        case _:
            assert_never(command)


def place(
    order: Order, command: commands.PlaceOrder, customer: Customer
) -> list[OrderEvent]:
    if not command.items:
        raise rules.EmptyOrder(lines=0)
    if customer.is_forgotten:
        raise CustomerIsForgotten(customer_id=command.customer_id)
    if not customer.is_registered:
        raise UnknownCustomer(customer_id=command.customer_id)
    if order.status is not Status.NONE:
        raise rules.OrderAlreadyPlaced(status=order.status)
    total = total_of(command.items, command.discount)
    if total > MAX_TOTAL:
        raise rules.OrderTooDear(
            highest=Money(MAX_TOTAL, command.currency),
            total=Money(total, command.currency),
        )
    return [
        events.OrderCreated(
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


def receive_payment(order: Order, command: commands.ReceivePayment) -> list[OrderEvent]:
    match order.status:
        case Status.PENDING if command.amount == order.total.amount:
            return [events.PaymentReceived(amount=command.amount)]
        case Status.PENDING:
            raise rules.WrongAmount(
                due=order.total, received=replace(order.total, amount=command.amount)
            )
        case Status.CANCELLED:
            raise rules.OrderAlreadyCancelled(order_id=command.order_id)
        case _ if order.paid is None:
            # Only an imported order is shipped without a payment that we know of.
            raise rules.OrderAlreadyShipped(tracking_no=order.tracking_no or "none")
        case _:
            raise rules.OrderAlreadyPaid(paid=order.paid)


def ship(order: Order, command: commands.ShipOrder) -> list[OrderEvent]:
    match order.status:
        case Status.PENDING if not order.total.amount:
            # All of it is a gift: nobody can pay nothing.
            return [events.OrderShipped(tracking_no=command.tracking_no)]
        case Status.PAID:
            return [events.OrderShipped(tracking_no=command.tracking_no)]
        case Status.CANCELLED:
            raise rules.OrderAlreadyCancelled(order_id=command.order_id)
        case Status.SHIPPED | Status.DELIVERED:
            raise rules.OrderAlreadyShipped(tracking_no=order.tracking_no or "none")
        case _:
            raise rules.OrderNotPaid(due=order.total)


def confirm_delivery(
    order: Order, command: commands.ConfirmDelivery
) -> list[OrderEvent]:
    match order.status:
        case Status.SHIPPED:
            check_arrival(order, command.delivered_at)
            return [events.DeliveryConfirmed(delivered_at=command.delivered_at)]
        case Status.DELIVERED:
            raise rules.OrderAlreadyDelivered(order_id=command.order_id)
        case _:
            raise rules.OrderNotShipped(status=order.status)


def check_arrival(order: Order, delivered_at: datetime) -> None:
    """Raise DeliveredTooEarly for a day before it was placed or shipped."""
    arrived = delivered_at.date()
    for status, moment in (("placed", order.placed_at), ("shipped", order.shipped_at)):
        # By days as clocks show them where it arrived: people note it later, and round.
        day = arrived if moment is None else local_day(moment, delivered_at)
        if arrived < day:
            raise rules.DeliveredTooEarly(
                arrived=str(arrived), status=status, day=str(day)
            )


def local_day(moment: datetime, there: datetime) -> date:
    """Return the day of *moment* in the time zone of *there*."""
    return moment.astimezone(there.tzinfo).date()


def cancel(order: Order, command: commands.CancelOrder) -> list[OrderEvent]:
    match order.status:
        case Status.CANCELLED:
            return []
        case Status.SHIPPED | Status.DELIVERED:
            raise rules.OrderAlreadyShipped(tracking_no=order.tracking_no or "none")
        case _:
            return [events.OrderCancelled(reason=command.reason)]


def cancel_unpaid(
    order: Order, command: commands.CancelUnpaidOrder
) -> list[OrderEvent]:
    """Return a cancellation, or nothing if the order was paid or cancelled."""
    if order.status is not Status.PENDING:
        return []
    return [
        events.OrderCancelled(reason=f"It was not paid within {command.days} days.")
    ]


def refund(order: Order, command: commands.RefundPayment) -> list[OrderEvent]:
    if order.status is not Status.CANCELLED:
        raise rules.OrderNotCancelled(status=order.status)
    if order.paid is None or order.customer_id is None:
        raise rules.NothingToRefund(order_id=command.order_id)
    left = order.paid.amount - order.refunded.amount
    if command.amount > left:
        raise rules.RefundTooHigh(
            paid=order.paid,
            left=replace(order.paid, amount=left),
            asked=replace(order.paid, amount=command.amount),
        )
    return [
        events.PaymentRefunded(
            amount=command.amount,
            currency=order.paid.currency,
            customer_id=order.customer_id,
        )
    ]


def evolve(order: Order, event: OrderEvent) -> Order:
    """Return the order after *event*; no rules are checked."""
    status = status_after(order.status, event)
    match event:
        case events.OrderCreated():
            return replace(
                order,
                status=status,
                total=Money(event.total, event.currency),
                customer_id=event.customer_id,
            )
        case events.PaymentReceived():
            paid = replace(order.total, amount=event.amount)
            return replace(order, status=status, paid=paid)
        case events.OrderShipped():
            return replace(order, status=status, tracking_no=event.tracking_no)
        case events.DeliveryConfirmed() | events.OrderCancelled():
            return replace(order, status=status)
        case events.PaymentRefunded():
            amount = order.refunded.amount + event.amount
            return replace(order, refunded=Money(amount, event.currency))
        case _:
            assert_never(event)


def note_time(order: Order, event: OrderEvent, occurred_at: datetime) -> Order:
    """Return the order with the time of *event*, if a rule needs it."""
    match event:
        case events.OrderCreated():
            return replace(order, placed_at=occurred_at)
        case events.OrderShipped():
            return replace(order, shipped_at=occurred_at)
        case _:
            return order

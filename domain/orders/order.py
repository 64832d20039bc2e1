"""The order: which commands it accepts, and what each event makes of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from domain.customers.customer import Customer
from domain.errors import Rejection
from domain.money import rounded_total
from domain.orders.commands import CancelOrder, OrderCommand, PlaceOrder
from domain.orders.events import OrderCancelled, OrderCreated, OrderEvent


class Status(StrEnum):
    NONE = "none"
    PENDING = "pending"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    """An order, as its events so far leave it."""

    status: Status = Status.NONE


class EmptyOrder(Rejection):
    """An order has at least one line; this one has {lines}."""


class UnknownCustomer(Rejection):
    """There is no customer {customer_id}."""


class OrderAlreadyPlaced(Rejection):
    """This order was placed already; it is {status}."""


class UnknownOrder(Rejection):
    """There is no order {order_id}."""


def reads(command: OrderCommand) -> dict[str, str]:
    """Return the other streams whose state *command* is decided on, by their name."""
    match command:
        case PlaceOrder():
            return {"customer": f"customer-{command.customer_id}"}
        case CancelOrder():
            return {}
        case _:
            assert_never(command)


def decide(
    order: Order, command: OrderCommand, *, customer: Customer | None = None
) -> list[OrderEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    match command:
        case PlaceOrder():
            return place(order, command, customer or Customer())
        case CancelOrder():
            return cancel(order, command)
        case _:
            assert_never(command)


def place(order: Order, command: PlaceOrder, customer: Customer) -> list[OrderEvent]:
    if not command.items:
        raise EmptyOrder(lines=0)
    if not customer.is_registered:
        raise UnknownCustomer(customer_id=command.customer_id)
    if order.status is not Status.NONE:
        raise OrderAlreadyPlaced(status=order.status)
    return [
        OrderCreated(
            customer_id=command.customer_id,
            items=command.items,
            total=rounded_total(
                (item.unit_price, item.quantity, item.discount)
                for item in command.items
            ),
            address=command.address,
            currency=command.currency,
            required_date=command.required_date,
            freight=command.freight,
        )
    ]


def cancel(order: Order, command: CancelOrder) -> list[OrderEvent]:
    if order.status is Status.NONE:
        raise UnknownOrder(order_id=command.order_id)
    if order.status is Status.CANCELLED:
        return []
    return [OrderCancelled(reason=command.reason)]


def evolve(order: Order, event: OrderEvent) -> Order:
    """Return the order as it is after *event*."""
    match event:
        case OrderCreated():
            return replace(order, status=Status.PENDING)
        case OrderCancelled():
            return replace(order, status=Status.CANCELLED)
        case _:
            assert_never(event)

"""What is ordered: placing an order, and changing its lines and its address."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from domain.customers.customer import (
    Customer,
    CustomerIsForgotten,
    UnknownCustomer,
)
from domain.fields import MAX_TOTAL
from domain.money import Money
from domain.orders import commands, events, rules
from domain.orders.commands import ChangedItem, Item
from domain.orders.events import OrderEvent
from domain.orders.lines import Line, LineState, kept_total, total_of
from domain.orders.state import Order
from domain.orders.status import Status
from domain.products.product import Product, check_listed

Products = Mapping[str, Product]
"""The products that a command names, by their ids."""


def place(
    order: Order, command: commands.PlaceOrder, customer: Customer, products: Products
) -> list[OrderEvent]:
    if not command.items:
        raise rules.EmptyOrder(lines=0)
    check_customer(customer, command.customer_id)
    if order.status is not Status.NONE:
        raise rules.OrderAlreadyPlaced(status=order.status)
    lines = new_lines(command.items, products, after=0)
    freight = command.freight or 0
    total = total_of(lines, command.discount) + freight
    check_total(total, command.currency)
    return [
        events.OrderCreated(
            customer_id=command.customer_id,
            items=lines,
            discount=command.discount,
            freight=freight,
            total=total,
            terms=command.terms,
            address=command.address,
            currency=command.currency,
            required_date=command.required_date,
        )
    ]


def check_customer(customer: Customer, customer_id: str) -> None:
    if customer.is_forgotten:
        raise CustomerIsForgotten(customer_id=customer_id)
    if not customer.is_registered:
        raise UnknownCustomer(customer_id=customer_id)


def check_total(total: int, currency: str) -> None:
    if total > MAX_TOTAL:
        raise rules.OrderTooDear(
            highest=Money(MAX_TOTAL, currency), total=Money(total, currency)
        )


def new_lines(
    items: Iterable[Item], products: Products, *, after: int
) -> tuple[Line, ...]:
    """Return *items* as lines with the numbers after *after*."""
    return tuple(
        line_of(item, number, products) for number, item in enumerate(items, after + 1)
    )


def line_of(item: Item, number: int, products: Products) -> Line:
    """
    Return the line that *item* orders; name and price may be those of the price list.

    Raises UnknownProduct or ProductIsDiscontinued.
    """
    name, price = item.product, item.unit_price
    if name is None:
        product_id = item.product_id or ""
        product = products.get(product_id, Product())
        check_listed(product, product_id)
        name = product.name
        price = product.unit_price if price is None else price
    assert name is not None
    assert price is not None
    return Line(
        number=number,
        product=name,
        product_id=item.product_id,
        quantity=item.quantity,
        unit_price=price,
        discount=item.discount,
    )


def change_items(
    order: Order, command: commands.ChangeItems, products: Products
) -> list[OrderEvent]:
    if not command.items:
        raise rules.EmptyOrder(lines=0)
    check_unshipped(order, command.order_id)
    lines = changed_lines(order, command.items, products)
    states = keep_moved(order, lines)
    discount = order.discount if command.discount is None else command.discount
    freight = order.freight if command.freight is None else command.freight
    before = tuple(state.line for state in order.lines)
    if (lines, discount, freight) == (before, order.discount, order.freight):
        return []
    total = kept_total(states, discount) + freight
    check_total(total, order.currency)
    return [
        events.OrderItemsChanged(
            items=lines,
            discount=discount,
            freight=freight,
            total=total,
            is_shipped=all(state.to_ship == 0 for state in states),
            is_returned=all(state.is_returned for state in states),
        )
    ]


def check_unshipped(order: Order, order_id: int) -> None:
    """Raise the rule that refuses to change or ship an order of which all is gone."""
    if order.status is Status.CANCELLED:
        raise rules.OrderAlreadyCancelled(order_id=order_id)
    if not order.status.is_open:
        raise rules.OrderAlreadyShipped(tracking_no=order.tracking)


def changed_lines(
    order: Order, items: Iterable[ChangedItem], products: Products
) -> tuple[Line, ...]:
    before = {state.line.number: state.line for state in order.lines}
    lines: list[Line] = []
    last = order.last_line
    for item in items:
        if item.line is None:
            last += 1
            lines.append(line_of(item.as_item(), last, products))
            continue
        if item.line not in before:
            raise rules.UnknownLine(line=item.line)
        if any(line.number == item.line for line in lines):
            raise rules.LineNamedTwice(line=item.line)
        lines.append(changed_line(before[item.line], item))
    return tuple(lines)


def changed_line(line: Line, item: ChangedItem) -> Line:
    """Return *line* with what *item* says; its price is no matter of the list's."""
    price, discount = item.unit_price, item.discount
    return replace(
        line,
        quantity=item.quantity,
        unit_price=line.unit_price if price is None else price,
        discount=line.discount if discount is None else discount,
    )


def keep_moved(order: Order, lines: Iterable[Line]) -> list[LineState]:
    """
    Return the new lines with what was shipped of them.

    Raises LineAlreadyShipped if more of a line was shipped than is left of it.
    """
    after = {line.number: line for line in lines}
    before = {state.line.number: state for state in order.lines}
    for number, state in before.items():
        left = after[number].quantity if number in after else 0
        if state.shipped > left:
            raise rules.LineAlreadyShipped(
                line=number, product=state.line.product, shipped=state.shipped
            )
    return [
        replace(before.get(number, LineState(line)), line=line)
        for number, line in after.items()
    ]


def change_address(
    order: Order, command: commands.ChangeAddress, customer: Customer
) -> list[OrderEvent]:
    check_whose(order, command, customer)
    if order.status is Status.CANCELLED:
        raise rules.OrderAlreadyCancelled(order_id=command.order_id)
    if not order.status.is_open and order.status is not Status.SHIPPED:
        raise rules.OrderAlreadyDelivered(order_id=command.order_id)
    return [
        events.ShippingAddressChanged(
            customer_id=command.customer_id, address=command.address
        )
    ]


def check_whose(
    order: Order,
    command: commands.ChangeAddress | commands.AddNote,
    customer: Customer,
) -> None:
    """Raise the rule that refuses to encrypt something with that customer's key."""
    if order.customer_id != command.customer_id:
        raise rules.WrongCustomer(
            order_id=command.order_id, customer_id=command.customer_id
        )
    check_customer(customer, command.customer_id)


def add_note(
    order: Order, command: commands.AddNote, customer: Customer
) -> list[OrderEvent]:
    check_whose(order, command, customer)
    return [events.NoteAdded(customer_id=command.customer_id, text=command.text)]

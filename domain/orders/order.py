"""The order: which commands it accepts, and where each of them is decided."""

from collections.abc import Iterable, Mapping
from typing import assert_never

from domain.customers.customer import Customer
from domain.orders import commands, events, paying, placing, rules, shipping
from domain.orders.commands import OrderCommand
from domain.orders.events import OrderEvent
from domain.orders.placing import Products
from domain.orders.state import Order
from domain.orders.status import Status
from domain.products.product import Product

PRODUCT = "product "
"""The states of products are named by this and their ids: any id may be `customer`."""


def reads(command: OrderCommand) -> dict[str, str]:
    """Return the other streams whose state *command* is decided on, by their name."""
    match command:
        case commands.PlaceOrder():
            return {
                **customer_read(command.customer_id),
                **products_read(command.items),
            }
        case commands.ChangeItems():
            return products_read(
                item.as_item() for item in command.items if item.line is None
            )
        case commands.ChangeAddress() | commands.AddNote():
            return customer_read(command.customer_id)
        case _:
            return {}


def customer_read(customer_id: str) -> dict[str, str]:
    return {"customer": f"customer-{customer_id}"}


def products_read(items: Iterable[commands.Item]) -> dict[str, str]:
    """Return the streams of the products of the list that *items* order, by name."""
    listed = (item.product_id for item in items if not item.is_free)
    return {f"{PRODUCT}{name}": f"product-{name}" for name in listed}


def products_known(read: Mapping[str, Product]) -> Products:
    """Return the states that were *read*, under the names of `products_read`, by id."""
    return {name.removeprefix(PRODUCT): product for name, product in read.items()}


def customer_of(
    stream_id: str,
    message: commands.PlaceOrder
    | commands.ChangeAddress
    | commands.AddNote
    | events.OrderCreated
    | events.ShippingAddressChanged
    | events.NoteAdded,
) -> str:
    """Return the stream of the customer whom the personal data in *message* concern."""
    return f"customer-{message.customer_id}"


def decide(
    order: Order,
    command: OrderCommand,
    *,
    customer: Customer | None = None,
    **products: Product,
) -> list[OrderEvent]:
    """
    Return the events that *command* causes, or raise the rule it breaks.

    The states of *products* have the names that `reads` gives them.
    """
    known = products_known(products)
    if isinstance(command, commands.PlaceOrder):
        return placing.place(order, command, customer or Customer(), known)
    if order.status is Status.NONE:
        raise rules.UnknownOrder(order_id=command.order_id)
    match command:
        case commands.ChangeItems():
            return placing.change_items(order, command, known)
        case commands.ChangeAddress():
            return placing.change_address(order, command, customer or Customer())
        case commands.AddNote():
            return placing.add_note(order, command, customer or Customer())
        case commands.ReceivePayment():
            return paying.receive_payment(order, command)
        case commands.VoidPayment():
            return paying.void_payment(order, command)
        case commands.RefundPayment():
            return paying.refund(order, command)
        case commands.CancelOrder():
            return paying.cancel(order, command)
        case commands.CancelUnpaidOrder():
            return paying.cancel_unpaid(order, command)
        case commands.PutOffCancellation():
            return paying.put_off(order, command)
        case commands.ShipOrder():
            return shipping.ship(order, command)
        case commands.ShipParcel():
            return shipping.ship_parcel(order, command)
        case commands.CorrectTracking():
            return shipping.correct_tracking(order, command)
        case commands.ConfirmDelivery():
            return shipping.confirm_delivery(order, command)
        case commands.ReturnOrder():
            return shipping.return_lines(order, command)
        case _:
            assert_never(command)

"""Which commands a customer accepts, and what follows from them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import assert_never

from domain.customers import commands, events
from domain.customers.customer import (
    Customer,
    CustomerAlreadyRegistered,
    CustomerIsForgotten,
    UnknownCustomer,
    details_in,
    evolve,
)
from domain.customers.first_order import order_in
from domain.orders.order import products_known, products_read
from domain.orders.placing import place
from domain.orders.state import Order
from domain.products.product import Product


def reads(command: commands.CustomerCommand) -> Mapping[str, str]:
    """Return the other streams whose state *command* is decided on, by their name."""
    if isinstance(command, commands.PlaceFirstOrder):
        return products_read(command.items)
    return {}


def decide(
    customer: Customer, command: commands.CustomerCommand, **products: Product
) -> list[events.CustomerEvent]:
    """
    Return the events that *command* causes, or raise the rule it breaks.

    The states of *products* have the names that `reads` gives them.
    """
    match command:
        case commands.RegisterCustomer():
            return register(customer, command)
        case commands.PlaceFirstOrder():
            return place_first_order(customer, command, products)
        case commands.ChangeCustomerDetails():
            return change_details(customer, command)
        case commands.ForgetCustomer():
            return forget(customer, command)
        case _:
            assert_never(command)


def register(
    customer: Customer, command: commands.RegisterCustomer | commands.PlaceFirstOrder
) -> list[events.CustomerEvent]:
    if customer.is_forgotten:
        raise CustomerIsForgotten(customer_id=command.customer_id or "")
    if customer.is_registered:
        raise CustomerAlreadyRegistered(customer_id=command.customer_id or "")
    return [events.CustomerRegistered(**details_in(command))]


def place_first_order(
    customer: Customer,
    command: commands.PlaceFirstOrder,
    products: Mapping[str, Product],
) -> list[events.CustomerEvent]:
    """
    Register the customer and ask for the order, or do neither.

    The order is decided here as if it was placed now: what would refuse it refuses the
    registration, too.
    """
    registered = register(customer, command)
    for event in registered:
        customer = evolve(customer, event)
    order = order_in(command, command.customer_id or "")
    place(Order(), order, customer, products_known(products))
    names = (field.name for field in fields(events.FirstOrderRequested))
    asked = {name: getattr(command, name) for name in names}
    return [*registered, events.FirstOrderRequested(**asked)]


def change_details(
    customer: Customer, command: commands.ChangeCustomerDetails
) -> list[events.CustomerEvent]:
    if customer.is_forgotten:
        raise CustomerIsForgotten(customer_id=command.customer_id)
    if customer.details is None:
        raise UnknownCustomer(customer_id=command.customer_id)
    if customer.details == events.CustomerDetails(**details_in(command)):
        return []
    return [events.CustomerDetailsChanged(**details_in(command))]


def forget(
    customer: Customer, command: commands.ForgetCustomer
) -> list[events.CustomerEvent]:
    if customer.is_forgotten:
        return []
    if not customer.is_registered:
        raise UnknownCustomer(customer_id=command.customer_id)
    return [events.CustomerForgotten()]

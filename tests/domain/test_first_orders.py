"""The first order of a new customer: both, or neither."""

from dataclasses import replace

import pytest

from domain.customers import events
from domain.customers.commands import PlaceFirstOrder
from domain.customers.customer import (
    Customer,
    CustomerAlreadyRegistered,
    CustomerIsForgotten,
    evolve,
)
from domain.customers.deciding import decide, reads
from domain.customers.first_order import react
from domain.orders import rules
from domain.orders.commands import Item, PlaceOrder
from domain.products.product import Product, ProductIsDiscontinued, UnknownProduct
from eventstore.testing.specification import Specification
from tests.support.desk import LONDON

customer = Specification(initial=Customer(), decide=decide, evolve=evolve)
CLOCK = Item(product="Clock", quantity=2, unit_price=2500)
command = PlaceFirstOrder(
    name="Ann", phone="0800-1", items=(CLOCK,), address=LONDON, currency="EUR", terms=14
)
registered = events.CustomerRegistered(name="Ann", phone="0800-1", address=LONDON)
requested = events.FirstOrderRequested(
    items=(CLOCK,),
    address=LONDON,
    currency="EUR",
    required_date=None,
    freight=None,
    discount=command.discount,
    terms=14,
)
NUMBERED = Item(product_id="RC-1", quantity=1)


def test_a_new_customer_is_registered_with_the_order_that_they_ask_for() -> None:
    customer.given().when(command).then(registered, requested)


def test_the_order_is_placed_for_whom_was_registered() -> None:
    order = PlaceOrder(
        customer_id="12", items=(CLOCK,), address=LONDON, currency="EUR", terms=14
    )

    assert react("customer-12", requested) == [order]
    assert not react("customer-12", registered)


@pytest.mark.parametrize(
    ("items", "rule"),
    [
        ((), rules.EmptyOrder),
        ((replace(CLOCK, quantity=1_000_000, unit_price=10**12),), rules.OrderTooDear),
        ((NUMBERED,), UnknownProduct),
    ],
)
def test_nobody_is_registered_with_an_order_that_would_be_refused(
    items: tuple[Item, ...], rule: type[Exception]
) -> None:
    customer.given().when(replace(command, items=items)).then_rejected(rule)


def test_the_products_of_a_first_order_are_those_of_the_list() -> None:
    [name] = reads(replace(command, items=(CLOCK, NUMBERED)))
    sold = Product(name="Radio", unit_price=900, is_listed=True)

    def decided(product: Product) -> object:
        asked = replace(command, items=(NUMBERED,))
        return decide(Customer(), asked, **{name: product})

    assert decided(sold) == [registered, replace(requested, items=(NUMBERED,))]
    with pytest.raises(ProductIsDiscontinued):
        decided(replace(sold, is_listed=False))


def test_a_first_order_is_for_who_is_not_registered() -> None:
    customer.given(registered).when(command).then_rejected(CustomerAlreadyRegistered)
    customer.given(registered, events.CustomerForgotten()).when(command).then_rejected(
        CustomerIsForgotten
    )


def test_an_order_that_was_asked_for_leaves_the_customer_as_they_are() -> None:
    assert evolve(evolve(Customer(), registered), requested) == evolve(
        Customer(), registered
    )

"""Lines of orders that name products of the price list, and free ones."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.input import parse
from domain.orders import commands
from domain.orders.lines import Line
from domain.orders.order import reads
from domain.products.product import Product, ProductIsDiscontinued, UnknownProduct
from tests.support.desk import CLOCK, LAMP, place
from tests.support.order_events import order, placed
from tests.support.orders import order_for

LISTED = Product(name="RETRO-CLOCK", unit_price=4_950, is_listed=True)
named = commands.Item(product_id="RC-1", quantity=2)
line = Line(
    number=1, product="RETRO-CLOCK", product_id="RC-1", quantity=2, unit_price=4_950
)
shop = order.reading(**order.others, **{"product RC-1": LISTED})


def of(*items: commands.Item) -> commands.PlaceOrder:
    return replace(place, items=items)


def lines(rules: Any, command: object, *past: object) -> tuple[Line, ...]:
    (event,) = rules.given(*past).when(command).decided()
    found: tuple[Line, ...] = event.items
    return found


def test_a_line_that_names_a_product_has_its_name_and_its_price() -> None:
    assert lines(shop, of(named)) == (line,)


def test_a_price_that_was_agreed_on_counts_before_that_of_the_list() -> None:
    agreed = replace(named, unit_price=4_500)

    assert lines(shop, of(agreed)) == (replace(line, unit_price=4_500),)


def test_the_discount_of_a_line_is_off_the_price_of_the_list() -> None:
    half = replace(named, discount=Decimal("0.5"))
    (event,) = shop.given().when(of(half)).decided()

    assert event.total == 4_950


def test_the_price_is_that_of_the_day_when_it_is_ordered() -> None:
    """What it costs later is no matter of the order's."""
    dearer = order.reading(
        **order.others, **{"product RC-1": replace(LISTED, unit_price=9_999)}
    )
    more = commands.ChangeItems(
        order_id=1, items=(commands.ChangedItem(line=1, quantity=3),)
    )
    before = replace(placed, items=(line,), total=9_900)

    assert lines(dearer, more, before) == (replace(line, quantity=3),)


def test_a_product_that_nobody_knows_is_not_ordered() -> None:
    order.given().when(of(named)).then_rejected(
        UnknownProduct, "There is no product RC-1 on the price list."
    )


def test_a_product_that_is_no_longer_sold_is_not_ordered() -> None:
    gone = order.reading(
        **order.others, **{"product RC-1": replace(LISTED, is_listed=False)}
    )

    gone.given().when(of(named)).then_rejected(
        ProductIsDiscontinued, "Product RC-1, RETRO-CLOCK, is no longer sold."
    )
    gone.given().when(of(replace(named, unit_price=4_500))).then_rejected(
        ProductIsDiscontinued
    )


def test_a_free_line_needs_no_product_of_the_list() -> None:
    assert lines(order, of(CLOCK)) == (replace(line, product_id=None),)


def test_a_free_line_may_note_an_id_that_no_list_has() -> None:
    noted = replace(CLOCK, product_id="#1", unit_price=1)

    assert lines(order, of(noted)) == (replace(line, product_id="#1", unit_price=1),)


def test_a_free_line_has_its_own_price_whatever_the_list_says() -> None:
    """An id is only noted, as those of all orders were before there was a list."""
    own = replace(CLOCK, product_id="RC-1", product="CLOCK", unit_price=1)

    assert lines(shop, of(own)) == (replace(line, product="CLOCK", unit_price=1),)


def test_an_order_may_have_lines_of_both_kinds() -> None:
    first, second = lines(shop, of(named, LAMP))

    assert (first.product_id, second.product_id) == ("RC-1", None)
    assert (first.number, second.number) == (1, 2)


def test_a_line_that_is_added_later_names_a_product_just_so() -> None:
    more = commands.ChangeItems(
        order_id=1,
        items=(
            commands.ChangedItem(line=1, quantity=2),
            commands.ChangedItem(product_id="RC-1", quantity=2),
        ),
    )

    assert lines(shop, more, placed)[1] == replace(line, number=3)
    order.given(placed).when(more).then_rejected(UnknownProduct)


def test_a_decision_reads_the_products_that_its_lines_name() -> None:
    both = of(named, LAMP, replace(CLOCK, product_id="RC-2"))

    assert reads(both) == {"customer": "customer-ALICE", "product RC-1": "product-RC-1"}


def test_a_product_may_be_called_customer() -> None:
    strange = of(replace(named, product_id="customer"))

    assert reads(strange) == {
        "customer": "customer-ALICE",
        "product customer": "product-customer",
    }


def test_a_change_reads_the_products_of_its_new_lines() -> None:
    more = commands.ChangeItems(
        order_id=1,
        items=(
            commands.ChangedItem(line=1, quantity=2),
            commands.ChangedItem(product_id="RC-1", quantity=2),
            commands.ChangedItem(product="LAMP", quantity=1, unit_price=999),
        ),
    )

    assert reads(more) == {"product RC-1": "product-RC-1"}


# What is no line.


def faults_of(
    message: type, customer_id: str = "ALICE", **fields: object
) -> dict[str, str]:
    """Return what is wrong with a command of one line that has these fields."""
    told = {
        commands.PlaceOrder: order_for(customer_id, currency="EUR"),
        commands.ChangeItems: {"order_id": 1},
    }[message]
    told["items"] = [{"quantity": 1, **fields}]
    with pytest.raises(InvalidInput) as refusal:
        parse(message, told)
    return {fault.field: fault.problem for fault in refusal.value.faults}


@pytest.mark.parametrize("message", [commands.PlaceOrder, commands.ChangeItems])
def test_a_line_says_what_it_is(message: type) -> None:
    assert faults_of(message) == {"items.0.product": "is missing, and so is product_id"}


@pytest.mark.parametrize("message", [commands.PlaceOrder, commands.ChangeItems])
def test_a_free_line_says_what_it_costs(message: type) -> None:
    assert faults_of(message, product="LAMP") == {
        "items.0.unit_price": "is missing: the line names its own product"
    }


def test_it_is_told_with_what_else_is_wrong() -> None:
    told = faults_of(commands.PlaceOrder, product="LAMP", customer_id="no one")

    assert told.keys() == {"items.0.unit_price", "customer_id"}


@pytest.mark.parametrize("message", [commands.PlaceOrder, commands.ChangeItems])
def test_a_line_names_a_product_as_products_are_named(message: type) -> None:
    assert faults_of(message, product_id="#1").keys() == {"items.0.product_id"}


def test_a_line_that_the_order_has_stays_what_it_is() -> None:
    told = faults_of(commands.ChangeItems, line=1, product="LAMP", product_id="L-1")

    assert told.keys() == {"items.0.product", "items.0.product_id"}
    assert set(told.values()) == {
        "is left out for a line that the order has: add a new line"
    }

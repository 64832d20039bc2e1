"""The rules of a product: how it comes on the price list, changes, and leaves it."""

from dataclasses import replace

import pytest

from domain.errors import InvalidInput
from domain.input import parse
from domain.products import commands, events, product
from domain.products.product import Product
from eventstore.testing.specification import Specification
from tests.support.desk import add_clock, discontinue, raise_price, rename_clock

products = Specification(
    initial=Product(), decide=product.decide, evolve=product.evolve
)
added = events.ProductAdded(name="RETRO-CLOCK", unit_price=4_950, currency="EUR")
raised = events.PriceChanged(unit_price=5_250)
renamed = events.ProductRenamed(name="RETRO-CLOCK II")
discontinued = events.ProductDiscontinued()


def test_a_product_is_put_on_the_list() -> None:
    products.given().when(add_clock).then(added)


def test_a_product_is_on_the_list_once() -> None:
    products.given(added).when(add_clock).then_rejected(
        product.ProductAlreadyAdded,
        "Product RC-1 is on the price list already: it is RETRO-CLOCK.",
    )


def test_its_price_changes() -> None:
    products.given(added).when(raise_price).then(raised)


def test_it_is_renamed() -> None:
    products.given(added).when(rename_clock).then(renamed)


def test_what_is_as_it_was_is_no_change() -> None:
    products.given(added, raised).when(raise_price).then_nothing()
    products.given(added, renamed).when(rename_clock).then_nothing()


def test_a_product_is_taken_off_the_list() -> None:
    products.given(added).when(discontinue).then(discontinued)


@pytest.mark.parametrize("command", [raise_price, rename_clock, discontinue])
def test_what_is_not_on_the_list_is_not_changed(command: object) -> None:
    products.given().when(command).then_rejected(
        product.UnknownProduct, "There is no product RC-1 on the price list."
    )
    products.given(added, discontinued).when(command).then_rejected(
        product.ProductIsDiscontinued, "Product RC-1, RETRO-CLOCK, is no longer sold."
    )


def test_a_product_that_was_taken_off_can_come_back_with_another_price() -> None:
    again = replace(add_clock, name="RETRO-CLOCK III", unit_price=5_950)
    back = replace(added, name="RETRO-CLOCK III", unit_price=5_950)

    products.given(added, discontinued).when(again).then(back)
    assert products.given(added, discontinued, back).state == Product(
        name="RETRO-CLOCK III", unit_price=5_950, is_listed=True
    )


def test_the_list_says_what_was_said_last() -> None:
    assert products.given(added, raised, renamed).state == Product(
        name="RETRO-CLOCK II", unit_price=5_250, is_listed=True
    )


def test_who_brings_an_id_for_a_new_product_brings_no_number() -> None:
    products.given().when(replace(add_clock, product_id="77")).then_rejected(
        product.NumberNotGiven, "There is no product 77; the shop gives numbers"
    )


def test_a_number_that_the_shop_gave_comes_back_on_the_list() -> None:
    numbered = replace(add_clock, product_id="77")

    products.given(added, discontinued).when(numbered).then(added)
    products.given(added).when(numbered).then_rejected(product.ProductAlreadyAdded)
    # Its number is assigned when it is accepted.
    products.given().when(replace(add_clock, product_id=None)).then(added)


@pytest.mark.parametrize("product_id", ["-1", "a b", "ä"])
def test_an_id_has_letters_digits_dots_dashes_and_underscores(product_id: str) -> None:
    told = {"product_id": product_id, "name": "LAMP", "unit_price": 999}

    with pytest.raises(InvalidInput, match="product_id: must be letters, digits"):
        parse(commands.AddProduct, {**told, "currency": "EUR"})

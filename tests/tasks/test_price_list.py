"""An order is decided on the price list as it is at that moment."""

from dataclasses import replace
from typing import Any

import pytest

from domain.orders.commands import ChangedItem, ChangeItems, Item
from domain.products.commands import AddProduct
from tasks.shop.wiring import Shop
from tests.support.desk import (
    Do,
    add_clock,
    alice,
    discontinue,
    place,
    raise_price,
    rename_clock,
)

ONE = Item(product_id="RC-1", quantity=1)
order_one = replace(place, items=(ONE,))


def told(shop: Shop, stream_id: str) -> list[tuple[str, Any]]:
    """Return types and data of the events of a stream."""
    with shop.lent() as connection:
        return connection.execute(
            "SELECT type, data FROM events WHERE stream_id = %s ORDER BY version",
            (stream_id,),
        ).fetchall()


def lines(shop: Shop, stream_id: str) -> list[tuple[str, int]]:
    """Return name and price of each line, as the order has it last."""
    *_, (_, data) = told(shop, stream_id)
    return [(line["product"], line["unit_price"]) for line in data["items"]]


def refusals(shop: Shop) -> list[str]:
    """Return the rules that have refused a command."""
    with shop.lent() as connection:
        rows = connection.execute(
            "SELECT error ->> 'rule' FROM commands"
            " WHERE status = 'rejected' ORDER BY seq"
        ).fetchall()
    return [rule for (rule,) in rows]


def test_a_price_that_is_left_empty_is_that_of_the_list(shop: Shop, do: Do) -> None:
    """It was that of the last order, whatever anybody had paid."""
    cheap = Item(product="RETRO-CLOCK", product_id="RC-1", quantity=1, unit_price=1)
    do(alice, add_clock, replace(place, items=(cheap,)), order_one)

    assert lines(shop, "order-2") == [("RETRO-CLOCK", 4_950)]


def test_prices_in_old_orders_stay_what_they_were(shop: Shop, do: Do) -> None:
    do(alice, add_clock, order_one, raise_price, rename_clock, order_one)

    assert lines(shop, "order-1") == [("RETRO-CLOCK", 4_950)]
    assert lines(shop, "order-2") == [("RETRO-CLOCK II", 5_250)]


def test_a_line_that_is_added_has_the_price_of_its_day(shop: Shop, do: Do) -> None:
    more = ChangeItems(
        order_id=1,
        items=(
            ChangedItem(line=1, quantity=2),
            ChangedItem(product_id="RC-1", quantity=1),
        ),
    )
    do(alice, add_clock, order_one, raise_price, more)

    assert lines(shop, "order-1") == [("RETRO-CLOCK", 4_950), ("RETRO-CLOCK", 5_250)]


@pytest.mark.parametrize(
    ("before", "rule"),
    [([], "UnknownProduct"), ([add_clock, discontinue], "ProductIsDiscontinued")],
)
def test_what_is_not_on_the_list_is_not_ordered_by_its_id(
    shop: Shop, do: Do, before: list[Any], rule: str
) -> None:
    do(alice, *before, order_one)

    assert refusals(shop) == [rule]
    assert told(shop, "order-1") == []


def test_a_product_without_an_id_gets_a_number(shop: Shop, do: Do) -> None:
    lamp = AddProduct(name="LAMP", unit_price=999, currency="EUR")
    lamp_one = replace(place, items=(replace(ONE, product_id="1"),))
    do(alice, lamp, lamp_one)

    assert lines(shop, "order-1") == [("LAMP", 999)]

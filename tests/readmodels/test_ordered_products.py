"""The products that were ordered, with the price of the last time."""

from dataclasses import replace
from datetime import UTC, datetime

from domain.orders.lines import Line
from eventstore.projections.projection import Fact
from readmodels import ordered_products
from readmodels.ordered_products import OrderedProduct
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LAMP, Do, add_clock, alice, place, three_clocks


def ordered(shop: Shop, sort: str = "-times") -> list[OrderedProduct]:
    with shop.engine.connect() as connection:
        return list(ordered_products.find(connection, sort=sort).rows)


def test_each_line_is_about_its_own_product(shop: Shop, do: Do) -> None:
    do(alice, place)

    assert [(one.product, one.unit_price) for one in ordered(shop, "product")] == [
        ("LAMP", 999),
        ("RETRO-CLOCK", 4_950),
    ]


def test_a_product_has_the_price_of_the_last_time(shop: Shop, do: Do) -> None:
    dearer = replace(CLOCK, unit_price=5_950, product_id="42")
    do(alice, place, replace(place, items=(dearer,)))
    clock, _ = ordered(shop)

    assert (clock.product, clock.unit_price) == ("RETRO-CLOCK", 5_950)
    assert (clock.product_id, clock.times_ordered) == ("42", 2)


def test_one_order_with_the_same_product_twice_counts_twice(shop: Shop, do: Do) -> None:
    do(alice, replace(place, items=(LAMP, replace(LAMP, unit_price=1))))
    (lamp,) = ordered(shop)

    assert (lamp.times_ordered, lamp.unit_price) == (2, 1)


def test_a_product_of_the_price_list_is_known_by_its_name(shop: Shop, do: Do) -> None:
    listed = replace(CLOCK, product=None, product_id="RC-1", unit_price=None)
    do(alice, add_clock, place, replace(place, items=(listed,)))
    clock, _ = ordered(shop)

    assert (clock.product, clock.product_id) == ("RETRO-CLOCK", "RC-1")
    assert clock.times_ordered == 2


def test_a_line_counts_once_however_the_order_is_changed(shop: Shop, do: Do) -> None:
    do(alice, place)
    before = ordered(shop)
    do(three_clocks)

    assert ordered(shop) == before


def fact(day: int, unit_price: int) -> Fact:
    line = Line(number=1, product="RETRO-CLOCK", quantity=2, unit_price=unit_price)
    return Fact(line, "order-1", 1, 1, datetime(2026, 11, day, tzinfo=UTC), "{}")


def test_a_line_of_an_earlier_day_that_is_imported_later_has_no_say() -> None:
    newest = ordered_products.fold(None, fact(23, 4_950), {})
    after = ordered_products.fold(newest, fact(4, 300), {})

    assert after == replace(newest, times_ordered=2)
    assert ordered_products.fold(after, fact(24, 5_950), {}).unit_price == 5_950

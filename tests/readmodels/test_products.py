"""The products that were ordered, with the price of the last time."""

from dataclasses import replace
from datetime import UTC, datetime

from eventstore.projections.projection import Fact
from readmodels import products
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LAMP, Do, alice, place


def test_each_line_is_about_its_own_product(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.engine.connect() as connection:
        found = products.find_most_ordered(connection)

    assert [(product.product, product.unit_price) for product in found] == [
        ("LAMP", 999),
        ("RETRO-CLOCK", 4_950),
    ]


def test_a_product_has_the_price_of_the_last_time(shop: Shop, do: Do) -> None:
    dearer = replace(CLOCK, unit_price=5_950, product_id="42")
    do(alice, place, replace(place, items=(dearer,)))
    with shop.engine.connect() as connection:
        found = products.find_named(connection, ["RETRO-CLOCK", "NOTHING"])

    assert list(found) == ["RETRO-CLOCK"]
    clock = found["RETRO-CLOCK"]
    assert (clock.unit_price, clock.product_id, clock.times_ordered) == (5_950, "42", 2)


def test_one_order_with_the_same_product_twice_counts_twice(shop: Shop, do: Do) -> None:
    do(alice, replace(place, items=(LAMP, replace(LAMP, unit_price=1))))
    with shop.engine.connect() as connection:
        (lamp,) = products.find_most_ordered(connection)

    assert (lamp.times_ordered, lamp.unit_price) == (2, 1)


def test_the_choice_is_what_is_ordered_most(shop: Shop, do: Do) -> None:
    do(alice, place, replace(place, items=(CLOCK,)))
    with shop.engine.connect() as connection:
        (found,) = products.find_most_ordered(connection, limit=1)

    assert found.product == "RETRO-CLOCK"


def fact(day: int, unit_price: int) -> Fact:
    item = replace(CLOCK, unit_price=unit_price)
    return Fact(item, "order-1", 1, 1, datetime(2026, 11, day, tzinfo=UTC), "{}")


def test_a_line_of_an_earlier_day_that_is_imported_later_has_no_say() -> None:
    newest = products.fold(None, fact(23, 4_950), {})
    after = products.fold(newest, fact(4, 300), {})

    assert after == replace(newest, times_ordered=2)
    assert products.fold(after, fact(24, 5_950), {}).unit_price == 5_950

"""A line of the list of orders, while its order is changed, shipped and returned."""

from collections.abc import Sequence
from dataclasses import replace

from domain.orders import commands as orders
from readmodels import order_list
from readmodels.order_summary import OrderSummaryView
from tasks.shop.wiring import Shop
from tests.support.desk import (
    Do,
    alice,
    correct_tracking,
    pay,
    pay_part,
    place,
    refund,
    return_one_clock,
    ship,
    ship_one_clock,
    to_paris,
    void,
)


def newest(shop: Shop, search: str | None = None) -> Sequence[OrderSummaryView]:
    with shop.engine.connect() as connection:
        return order_list.find(connection, search=search).rows


def numbers(lines: Sequence[OrderSummaryView]) -> list[int]:
    return [line.order_id for line in lines]


def test_the_line_says_what_is_due_and_what_can_be_refunded(shop: Shop, do: Do) -> None:
    do(alice, replace(place, freight=650, terms=14))
    seen = []
    for command in (
        pay_part,
        ship,
        replace(pay, amount=6_549),
        return_one_clock,
        replace(refund, amount=4_950),
        void,
    ):
        do(command)
        (line,) = newest(shop)
        seen.append((line.total, line.due, line.credit))

    assert seen == [
        (11_549, 6_549, 0),
        (11_549, 6_549, 0),
        (11_549, 0, 0),
        (6_599, 0, 4_950),
        (6_599, 0, 0),
        # It bounced: 6,549 came in, of which 4,950 went back.
        (6_599, 5_000, 0),
    ]


def test_the_line_has_the_lines_and_the_place_of_today(shop: Shop, do: Do) -> None:
    other = orders.ChangeItems(
        order_id=1,
        items=(
            orders.ChangedItem(line=1, quantity=1),
            orders.ChangedItem(product="SHADE", unit_price=500, quantity=1),
        ),
    )
    do(alice, place, other, to_paris)
    (line,) = newest(shop)

    assert (line.products, line.item_count) == (("RETRO-CLOCK", "SHADE"), 2)
    assert (line.total, line.city) == (5_450, "Paris")
    assert [numbers(newest(shop, search=text)) for text in ("shade", "paris")] == [
        [1],
        [1],
    ]
    for gone in ("lamp", "london"):
        assert newest(shop, search=gone) == [], gone


def test_the_line_counts_parcels_and_names_the_last_one(shop: Shop, do: Do) -> None:
    do(alice, place, pay, ship_one_clock)
    (first,) = newest(shop)
    do(ship)
    (second,) = newest(shop)

    assert (first.status, first.parcels, first.tracking_number) == (
        "paid",
        1,
        "1Z-998",
    )
    assert (second.status, second.parcels, second.tracking_number) == (
        "shipped",
        2,
        "1Z-999",
    )
    for number in ("1Z-998", "1Z-999"):
        assert numbers(newest(shop, search=number)) == [1]


def test_an_order_is_not_found_by_a_corrected_tracking_number(
    shop: Shop, do: Do
) -> None:
    do(alice, place, pay, ship_one_clock, correct_tracking)

    assert [line.tracking_number for line in newest(shop)] == ["1Z-990"]
    assert numbers(newest(shop, search="1Z-990")) == [1]
    assert newest(shop, search="998") == []


def test_a_corrected_number_takes_no_word_of_a_product_with_it(
    shop: Shop, do: Do
) -> None:
    """Who mistook the product for the number, or has both from one label."""
    wrong = replace(ship_one_clock, tracking_no="RETRO-CLOCK 7")
    do(alice, place, pay, wrong, correct_tracking)

    assert numbers(newest(shop, search="retro clock")) == [1]
    assert newest(shop, search="clock 7") == []


def test_a_number_that_two_parcels_had_stays_with_the_other(shop: Shop, do: Do) -> None:
    do(alice, place, pay, ship_one_clock, replace(ship, tracking_no="1Z-998"))
    do(correct_tracking)

    assert numbers(newest(shop, search="1Z-998")) == [1]
    assert numbers(newest(shop, search="1Z-990")) == [1]

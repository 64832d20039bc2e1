"""What an event of an order makes of the rows of its lines."""

from dataclasses import replace
from decimal import Decimal

from domain.orders.events import OrderItemsChanged, OrderReturned
from domain.orders.lines import LineQuantity
from eventstore.testing.projection_specification import NOON, ProjectionSpecification
from readmodels import sold_lines
from readmodels.sold_lines import SoldLine
from tests.support.order_events import (
    CLOCKS,
    LAMPS,
    all_returned,
    cancelled,
    clock_returned,
    more_clocks,
    moved,
    placed,
    shipped,
)

order = ProjectionSpecification(sold_lines.projection)

clocks = SoldLine(
    line="1-1",
    order_id=1,
    created_at=NOON,
    product_id=None,
    product="RETRO-CLOCK",
    pieces=2,
    amount=9_900,
    is_first=True,
)
lamp = replace(clocks, line="1-2", product="LAMP", pieces=1, amount=999)


def test_each_line_of_an_order_is_a_row() -> None:
    order.given("order-1", placed).given("order-2", placed).then(
        clocks,
        lamp,
        replace(clocks, line="2-1", order_id=2),
        replace(lamp, line="2-2", order_id=2),
    )


def test_a_line_that_is_changed_is_as_it_is_then() -> None:
    order.given("order-1", placed, more_clocks).then(
        replace(clocks, pieces=3, amount=14_850), lamp
    )


def test_a_line_that_is_gone_is_no_row_whatever_comes_after_it() -> None:
    only_lamps = OrderItemsChanged(
        items=(LAMPS,),
        discount=Decimal(0),
        freight=0,
        total=999,
        is_shipped=False,
        is_returned=False,
    )
    order.given("order-1", placed, only_lamps).then(lamp)
    order.given("order-1", placed, only_lamps, more_clocks, only_lamps).then(lamp)
    order.given("order-1", placed, only_lamps, more_clocks).then(
        replace(clocks, pieces=3, amount=14_850), lamp
    )


def test_what_came_back_is_no_more_sold() -> None:
    came_back = order.given("order-1", placed, moved, shipped, clock_returned)
    came_back.then(replace(clocks, pieces=1, amount=4_950), lamp)

    rest = replace(all_returned, lines=(replace(all_returned.lines[0], quantity=1),))
    came_back.given("order-1", rest).then(lamp)


def test_of_an_order_that_is_cancelled_nothing_is_sold() -> None:
    order.given("order-1", placed, cancelled).then_nothing()


def test_the_first_line_of_a_product_is_the_first_of_which_something_is_left() -> None:
    more = replace(CLOCKS, number=3, quantity=1)
    twice = order.given("order-1", replace(placed, items=(CLOCKS, LAMPS, more)))
    third = replace(clocks, line="1-3", pieces=1, amount=4_950)
    twice.then(clocks, lamp, replace(third, is_first=False))

    both = (LineQuantity(line=1, quantity=2),)
    back = OrderReturned(lines=both, freight=0, total=5_949, is_all=False)
    twice.given("order-1", back).then(lamp, third)


def test_amounts_follow_each_other_so_that_they_add_up() -> None:
    """A cent goes to another line when one that had it came back."""
    half = replace(CLOCKS, quantity=1, unit_price=1, discount=Decimal("0.5"))
    items = tuple(replace(half, number=n, product=f"P{n}") for n in (1, 2, 3))
    sold = order.given("order-1", replace(placed, items=items, total=2))
    assert amounts(sold) == {"1-1": 1, "1-2": 0, "1-3": 1}

    back = OrderReturned(
        lines=(LineQuantity(line=2, quantity=1),), freight=0, total=1, is_all=False
    )
    assert amounts(sold.given("order-1", back)) == {"1-1": 1, "1-3": 0}


def amounts(told: ProjectionSpecification) -> dict[str, int]:
    return {line: row.amount for line, row in told.rows().items()}

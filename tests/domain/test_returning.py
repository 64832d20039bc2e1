"""What comes back of an order: which pieces, and what the order costs then."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.input import parse
from domain.orders import commands, events, rules
from domain.orders.lines import LineQuantity
from tests.support.desk import ONE_CLOCK, deliver, return_all, return_one_clock
from tests.support.order_events import (
    CLOCKS,
    LAMPS,
    ONE_LAMP,
    all_returned,
    cancelled,
    clock_returned,
    clock_shipped,
    delivered,
    order,
    paid,
    placed,
    placed_on_account,
    shipped,
)

gone = (placed, paid, shipped)


@pytest.mark.parametrize("past", [[paid, shipped], [paid, shipped, delivered]])
def test_a_whole_order_comes_back(past: list[Any]) -> None:
    order.given(placed, *past).when(return_all).then(all_returned)


def test_what_was_never_paid_comes_back_too() -> None:
    order.given(placed_on_account, shipped).when(return_all).then(all_returned)


def test_some_lines_come_back() -> None:
    order.given(*gone).when(return_one_clock).then(clock_returned)


def test_the_rest_comes_back_later() -> None:
    order.given(*gone, clock_returned).when(return_all).then(
        replace(all_returned, lines=(ONE_CLOCK, ONE_LAMP))
    )


def test_all_of_it_is_back_with_its_last_piece() -> None:
    rest = replace(return_one_clock, lines=(ONE_CLOCK, ONE_LAMP))

    order.given(*gone, clock_returned).when(rest).then(
        replace(all_returned, lines=(ONE_CLOCK, ONE_LAMP))
    )


def test_what_is_with_the_customer_of_an_open_order_comes_back() -> None:
    """The rest of it has not been shipped, so not all of it is back."""
    order.given(placed, paid, clock_shipped).when(return_all).then(clock_returned)


def test_no_more_comes_back_than_is_with_the_customer() -> None:
    two = replace(return_one_clock, lines=(LineQuantity(line=1, quantity=2),))

    order.given(placed, paid, clock_shipped).when(two).then_rejected(
        rules.QuantityTooHigh, "Of line 1, RETRO-CLOCK, 1 are left; 2 is more."
    )
    order.given(*gone, clock_returned).when(two).then_rejected(rules.QuantityTooHigh)


def test_only_lines_of_the_order_come_back() -> None:
    third = replace(return_one_clock, lines=(LineQuantity(line=3, quantity=1),))

    order.given(*gone).when(third).then_rejected(rules.UnknownLine, "no line 3")


def test_a_return_is_read_from_plain_data() -> None:
    told = {"order_id": 1, "lines": [{"line": 1, "quantity": 1}], "with_freight": True}

    assert parse(commands.ReturnOrder, told) == replace(
        return_one_clock, with_freight=True
    )
    assert parse(commands.ReturnOrder, {"order_id": 1, "lines": None}) == return_all


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (commands.ReturnOrder, {"order_id": 1}),
        (commands.ShipParcel, {"order_id": 1, "tracking_no": "1Z-999"}),
    ],
)
def test_no_line_at_all_is_not_taken_for_all_of_them(
    message: type, told: dict[str, object]
) -> None:
    with pytest.raises(InvalidInput, match="lines: must name at least one line"):
        parse(message, {**told, "lines": []})


@pytest.mark.parametrize(
    ("past", "status"),
    [
        ([], "pending"),
        ([paid], "paid"),
        ([paid, shipped, all_returned], "returned"),
        ([cancelled], "cancelled"),
    ],
)
@pytest.mark.parametrize("command", [return_all, return_one_clock])
def test_nothing_comes_back_of_what_no_customer_has(
    past: list[Any], status: str, command: Any
) -> None:
    order.given(placed, *past).when(command).then_rejected(
        rules.NothingToReturn,
        f"Nothing of order 1 is with the customer; it is {status}.",
    )


def test_a_returned_order_does_not_arrive() -> None:
    order.given(*gone, all_returned).when(deliver).then_rejected(
        rules.OrderNotShipped, "this one is returned"
    )


# What it costs then.

with_freight = replace(placed, freight=650, total=11_549)


def returned(command: commands.ReturnOrder, *past: object) -> events.OrderReturned:
    (event,) = order.given(*past).when(command).decided()
    assert isinstance(event, events.OrderReturned)
    return event


def test_the_freight_stays_due() -> None:
    event = returned(return_all, with_freight, shipped)

    assert (event.freight, event.total) == (650, 650)


def test_the_freight_is_given_back_if_it_is_said() -> None:
    generous = replace(return_all, with_freight=True)
    event = returned(generous, with_freight, shipped)

    assert (event.freight, event.total) == (0, 0)


def test_freight_that_was_given_back_is_not_due_again() -> None:
    first = returned(
        replace(return_one_clock, with_freight=True), with_freight, shipped
    )
    second = returned(return_all, with_freight, shipped, first)

    assert (first.total, second.freight, second.total) == (5_949, 0, 0)


def test_what_stays_keeps_its_discounts() -> None:
    """
    Half of a nut of 3 cents is 1.5, of two 3, less a tenth 2.7, which is 3.

    What came back is not taken off a rounded sum: what is left is computed anew.
    """
    nuts = replace(CLOCKS, unit_price=3, discount=Decimal("0.5"))
    cheap = replace(placed, items=(nuts,), discount=Decimal("0.1"), total=3)

    # 1.35
    assert returned(return_one_clock, cheap, shipped).total == 1


def test_a_line_of_which_all_came_back_costs_nothing() -> None:
    lamp = replace(return_one_clock, lines=(ONE_LAMP,))

    assert returned(lamp, *gone).total == CLOCKS.unit_price * 2
    assert LAMPS.unit_price == placed.total - returned(lamp, *gone).total

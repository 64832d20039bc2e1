"""Shipping an order: when it goes, in which parcels, and with which numbers."""

from dataclasses import replace
from typing import Any

import pytest

from domain.orders import commands, events, rules
from domain.orders.lines import LineQuantity
from tests.support.desk import (
    ONE_CLOCK,
    cancel,
    correct_tracking,
    ship,
    ship_one_clock,
)
from tests.support.order_events import (
    ONE_LAMP,
    all_returned,
    cancelled,
    clock_returned,
    clock_shipped,
    delivered,
    more_clocks,
    order,
    paid,
    part_paid,
    placed,
    placed_on_account,
    shipped,
    voided,
)


def parcel(*lines: LineQuantity) -> commands.ShipParcel:
    return replace(ship_one_clock, lines=lines)


def test_an_order_is_shipped_when_it_is_paid() -> None:
    order.given(placed, paid).when(ship).then(shipped)
    order.given(placed).when(ship).then_rejected(
        rules.OrderNotPaid, "108.99 EUR is due"
    )
    order.given(placed, paid, voided).when(ship).then_rejected(rules.OrderNotPaid)


def test_no_part_of_it_is_shipped_before() -> None:
    order.given(placed, part_paid).when(ship_one_clock).then_rejected(
        rules.OrderNotPaid
    )


@pytest.mark.parametrize("terms", [0, 14])
def test_an_order_on_account_is_shipped_before_it_is_paid(terms: int) -> None:
    on_account = replace(placed, terms=terms)

    order.given(on_account).when(ship).then(shipped)
    order.given(on_account).when(ship_one_clock).then(clock_shipped)


def test_a_gift_is_shipped_without_a_payment() -> None:
    order.given(replace(placed, total=0)).when(ship).then(shipped)


def test_what_got_dearer_is_paid_before_the_rest_is_shipped() -> None:
    past = (placed, paid, clock_shipped, more_clocks)

    order.given(*past).when(ship).then_rejected(rules.OrderNotPaid, "49.50 EUR")


def test_an_order_is_shipped_once() -> None:
    order.given(placed, paid, shipped).when(ship).then_rejected(
        rules.OrderAlreadyShipped, "1Z-999"
    )
    order.given(placed, paid, shipped).when(ship_one_clock).then_rejected(
        rules.OrderAlreadyShipped
    )


@pytest.mark.parametrize("command", [ship, ship_one_clock])
def test_a_cancelled_order_is_not_shipped(command: Any) -> None:
    order.given(placed, paid, cancelled).when(command).then_rejected(
        rules.OrderAlreadyCancelled, "Order 1 is cancelled."
    )


@pytest.mark.parametrize("past", [[delivered], [all_returned], [clock_returned]])
def test_what_has_left_the_shop_is_not_shipped_again(past: list[Any]) -> None:
    order.given(placed, paid, shipped, *past).when(ship).then_rejected(
        rules.OrderAlreadyShipped
    )


# Parcels.


def test_some_of_an_order_goes_before_the_rest() -> None:
    order.given(placed, paid).when(ship_one_clock).then(clock_shipped)
    order.given(placed, paid, clock_shipped).when(ship).then(shipped)


def test_the_parcel_with_the_last_pieces_ships_the_order() -> None:
    rest = parcel(ONE_LAMP, ONE_CLOCK)

    order.given(placed, paid, clock_shipped).when(rest).then(
        events.OrderShipped(tracking_no="1Z-998")
    )


def test_a_line_that_is_named_twice_is_counted_together() -> None:
    order.given(placed, paid).when(parcel(ONE_CLOCK, ONE_CLOCK)).then(
        events.ParcelShipped(
            tracking_no="1Z-998", lines=(LineQuantity(line=1, quantity=2),)
        )
    )
    order.given(placed, paid).when(
        parcel(ONE_CLOCK, ONE_CLOCK, ONE_CLOCK)
    ).then_rejected(rules.QuantityTooHigh, "Of line 1, RETRO-CLOCK, 2 are left")


def test_a_parcel_has_no_more_pieces_than_are_left() -> None:
    two = parcel(LineQuantity(line=1, quantity=2))

    order.given(placed, paid, clock_shipped).when(two).then_rejected(
        rules.QuantityTooHigh, "Of line 1, RETRO-CLOCK, 1 are left; 2 is more."
    )


def test_what_came_back_is_not_left_to_be_shipped() -> None:
    past = (placed, paid, clock_shipped, clock_returned)

    order.given(*past).when(parcel(LineQuantity(line=1, quantity=2))).then_rejected(
        rules.QuantityTooHigh
    )


def test_a_parcel_has_lines_of_its_order() -> None:
    third = parcel(LineQuantity(line=3, quantity=1))

    order.given(placed, paid).when(third).then_rejected(
        rules.UnknownLine, "This order has no line 3."
    )


def test_an_order_of_which_a_part_is_gone_is_not_cancelled() -> None:
    order.given(placed, paid, clock_shipped).when(cancel).then_rejected(
        rules.ParcelAlreadyShipped, "1Z-998"
    )


def test_a_shipped_order_can_no_longer_be_cancelled() -> None:
    order.given(placed, paid, shipped).when(cancel).then_rejected(
        rules.OrderAlreadyShipped, "1Z-999"
    )


def test_a_payment_that_is_known_late_does_not_call_the_parcel_back() -> None:
    """An imported history may have its events in any order."""
    order.given(placed, events.OrderShipped(), paid).when(cancel).then_rejected(
        rules.OrderAlreadyShipped, "none"
    )


# Numbers of carriers.


def test_the_number_of_a_parcel_can_be_corrected() -> None:
    first = events.TrackingCorrected(parcel=1, tracking_no="1Z-990")
    second = replace(correct_tracking, parcel=2)

    order.given(placed, paid, clock_shipped).when(correct_tracking).then(first)
    order.given(placed, paid, clock_shipped, shipped).when(second).then(
        replace(first, parcel=2)
    )


def test_a_refusal_tells_the_corrected_number() -> None:
    past = (placed, paid, shipped, events.TrackingCorrected(parcel=1, tracking_no="7"))

    order.given(*past).when(ship).then_rejected(rules.OrderAlreadyShipped, "number: 7")


def test_an_imported_parcel_can_get_its_number() -> None:
    order.given(placed, events.OrderShipped()).when(correct_tracking).then(
        events.TrackingCorrected(parcel=1, tracking_no="1Z-990")
    )


def test_a_number_that_is_right_is_left_as_it_is() -> None:
    right = replace(correct_tracking, tracking_no="1Z-998")

    order.given(placed, paid, clock_shipped).when(right).then_nothing()


def test_there_is_no_parcel_that_nobody_shipped() -> None:
    order.given(placed, paid).when(correct_tracking).then_rejected(
        rules.UnknownParcel, "Order 1 has no parcel 1."
    )
    order.given(placed, paid, clock_shipped).when(
        replace(correct_tracking, parcel=2)
    ).then_rejected(rules.UnknownParcel)


@pytest.mark.parametrize("past", [[delivered], [all_returned]])
def test_the_number_of_what_has_arrived_stays(past: list[Any]) -> None:
    order.given(placed, paid, shipped, *past).when(correct_tracking).then_rejected(
        rules.OrderAlreadyDelivered, "Order 1 has arrived already."
    )


def test_an_order_on_account_can_be_corrected_as_well() -> None:
    order.given(placed_on_account, shipped).when(correct_tracking).then(
        events.TrackingCorrected(parcel=1, tracking_no="1Z-990")
    )

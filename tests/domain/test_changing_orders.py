"""Changing an order: its lines until all is shipped, its address until it arrives."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from domain.customers.customer import Customer, CustomerIsForgotten, UnknownCustomer
from domain.fields import MAX_AMOUNT
from domain.orders import commands, events, rules
from domain.orders.lines import Line, LineQuantity
from domain.orders.status import Status
from tests.support.desk import three_clocks, to_paris
from tests.support.order_events import (
    CLOCKS,
    LAMPS,
    all_returned,
    cancelled,
    clock_returned,
    clock_shipped,
    delivered,
    more_clocks,
    moved,
    order,
    order_rules,
    paid,
    placed,
    shipped,
)

CLOCKS_STAY = commands.ChangedItem(line=1, quantity=2)
LAMPS_STAY = commands.ChangedItem(line=2, quantity=1)
NUT = commands.ChangedItem(product="NUT", quantity=10, unit_price=5)


def change(*items: commands.ChangedItem, **more: Any) -> commands.ChangeItems:
    return commands.ChangeItems(order_id=1, items=items, **more)


def changed(command: commands.ChangeItems, *past: object) -> events.OrderItemsChanged:
    (event,) = order.given(*past).when(command).decided()
    assert isinstance(event, events.OrderItemsChanged)
    return event


# Lines.


@pytest.mark.parametrize("past", [[], [paid], [paid, clock_shipped]])
def test_the_lines_of_an_order_change_until_all_is_shipped(past: list[Any]) -> None:
    order.given(placed, *past).when(three_clocks).then(more_clocks)


@pytest.mark.parametrize("past", [[], [delivered], [all_returned]])
def test_the_lines_of_a_shipped_order_stay(past: list[Any]) -> None:
    order.given(placed, paid, shipped, *past).when(three_clocks).then_rejected(
        rules.OrderAlreadyShipped, "1Z-999"
    )


def test_the_lines_of_a_cancelled_order_stay() -> None:
    order.given(placed, cancelled).when(three_clocks).then_rejected(
        rules.OrderAlreadyCancelled
    )


def test_a_line_that_is_not_named_is_removed() -> None:
    event = changed(change(CLOCKS_STAY), placed)

    assert (event.items, event.total) == ((CLOCKS,), 9_900)


def test_an_order_keeps_at_least_one_line() -> None:
    order.given(placed).when(change()).then_rejected(rules.EmptyOrder)


def test_a_new_line_gets_the_next_number() -> None:
    event = changed(change(CLOCKS_STAY, LAMPS_STAY, NUT), placed)

    nuts = Line(number=3, product="NUT", quantity=10, unit_price=5)
    assert (event.items, event.total) == ((CLOCKS, LAMPS, nuts), 10_949)


def test_the_number_of_a_removed_line_is_not_used_again() -> None:
    without_lamp = changed(change(CLOCKS_STAY), placed)
    event = changed(change(CLOCKS_STAY, NUT), placed, without_lamp)

    assert [line.number for line in event.items] == [1, 3]


def test_a_removed_line_is_unknown() -> None:
    without_lamp = changed(change(CLOCKS_STAY), placed)

    order.given(placed, without_lamp).when(change(LAMPS_STAY)).then_rejected(
        rules.UnknownLine, "This order has no line 2."
    )


def test_a_line_is_named_once() -> None:
    order.given(placed).when(change(CLOCKS_STAY, CLOCKS_STAY)).then_rejected(
        rules.LineNamedTwice, "Line 1 is named twice."
    )


def test_what_a_line_does_not_say_stays() -> None:
    dear = replace(CLOCKS, unit_price=6_000, discount=Decimal("0.1"))
    agreed = replace(placed, items=(dear,), total=10_800)
    event = changed(change(replace(CLOCKS_STAY, quantity=3)), agreed)

    assert (event.items, event.total) == ((replace(dear, quantity=3),), 16_200)


def test_price_and_discount_of_a_line_can_be_changed() -> None:
    cheaper = replace(CLOCKS_STAY, unit_price=4_000, discount=Decimal("0.5"))
    event = changed(change(cheaper, LAMPS_STAY), placed)

    assert event.items[0] == replace(CLOCKS, unit_price=4_000, discount=Decimal("0.5"))
    assert event.total == 4_999


def test_discount_and_freight_of_the_order_stay_if_they_are_left_out() -> None:
    dear = replace(placed, freight=650, discount=Decimal("0.1"), total=10_459)
    event = changed(change(CLOCKS_STAY), dear)

    assert (event.freight, event.discount) == (650, Decimal("0.1"))
    assert event.total == 8_910 + 650


def test_discount_and_freight_of_the_order_can_be_changed() -> None:
    event = changed(
        change(CLOCKS_STAY, LAMPS_STAY, freight=650, discount=Decimal(1)), placed
    )

    assert (event.items, event.total) == ((CLOCKS, LAMPS), 650)


def test_freight_can_be_taken_off() -> None:
    dear = replace(placed, freight=650, total=11_549)

    assert changed(change(CLOCKS_STAY, LAMPS_STAY, freight=0), dear).total == 10_899


def test_a_change_that_changes_nothing_is_none() -> None:
    same = change(
        replace(CLOCKS_STAY, unit_price=4_950, discount=Decimal("0.00")),
        LAMPS_STAY,
        freight=0,
    )

    order.given(placed).when(same).then_nothing()


def test_the_order_of_the_lines_is_a_change() -> None:
    assert changed(change(LAMPS_STAY, CLOCKS_STAY), placed).items == (LAMPS, CLOCKS)


def test_a_changed_order_costs_a_hundred_billions_at_most() -> None:
    crowns = replace(NUT, quantity=101, unit_price=MAX_AMOUNT)

    order.given(placed).when(change(crowns)).then_rejected(
        rules.OrderTooDear, "101,000,000,000.00 EUR"
    )


# Lines of which some are gone.


def test_no_fewer_pieces_are_ordered_than_were_shipped() -> None:
    both = events.ParcelShipped(
        tracking_no="1Z-998", lines=(LineQuantity(line=1, quantity=2),)
    )

    order.given(placed, paid, both).when(
        change(replace(CLOCKS_STAY, quantity=1), LAMPS_STAY)
    ).then_rejected(rules.LineAlreadyShipped, "Of line 1, RETRO-CLOCK, 2 are shipped")
    order.given(placed, paid, both).when(change(LAMPS_STAY)).then_rejected(
        rules.LineAlreadyShipped
    )


def test_an_order_is_shipped_when_what_was_left_is_ordered_no_more() -> None:
    only_one = change(replace(CLOCKS_STAY, quantity=1))
    event = changed(only_one, placed, paid, clock_shipped)

    assert (event.is_shipped, event.is_returned, event.total) == (True, False, 4_950)
    order.given(placed, paid, clock_shipped, event).when(three_clocks).then_rejected(
        rules.OrderAlreadyShipped, "1Z-998"
    )


def test_what_came_back_costs_nothing_after_a_change_either() -> None:
    event = changed(three_clocks, placed, paid, clock_shipped, clock_returned)

    assert event.items[0].quantity == 3
    assert event.total == 2 * 4_950 + 999


def test_an_order_is_returned_when_the_rest_of_what_came_back_is_ordered_no_more() -> (
    None
):
    past = (placed, paid, clock_shipped, clock_returned)
    event = changed(change(replace(CLOCKS_STAY, quantity=1)), *past)

    assert (event.is_shipped, event.is_returned, event.total) == (True, True, 0)
    assert order.given(*past, event).state.status is Status.RETURNED


# The address.


@pytest.mark.parametrize("past", [[], [paid], [paid, clock_shipped], [paid, shipped]])
def test_an_order_goes_elsewhere_until_it_arrives(past: list[Any]) -> None:
    order.given(placed, *past).when(to_paris).then(moved)


@pytest.mark.parametrize("past", [[delivered], [all_returned]])
def test_the_address_of_what_has_arrived_stays(past: list[Any]) -> None:
    order.given(placed, paid, shipped, *past).when(to_paris).then_rejected(
        rules.OrderAlreadyDelivered
    )


def test_a_cancelled_order_goes_nowhere() -> None:
    order.given(placed, cancelled).when(to_paris).then_rejected(
        rules.OrderAlreadyCancelled
    )


def test_an_address_is_encrypted_with_the_key_of_who_ordered() -> None:
    of_bob = replace(to_paris, customer_id="BOB")

    order.given(placed).when(of_bob).then_rejected(
        rules.WrongCustomer, "Order 1 is not one of customer BOB."
    )


def test_nothing_personal_is_added_about_who_was_forgotten() -> None:
    forgotten = order_rules.reading(customer=Customer(is_forgotten=True))

    forgotten.given(placed).when(to_paris).then_rejected(CustomerIsForgotten, "ALICE")


def test_nothing_personal_is_added_about_who_is_not_known() -> None:
    """The key of a customer is there when the customer is."""
    order_rules.given(placed).when(to_paris).then_rejected(UnknownCustomer, "ALICE")

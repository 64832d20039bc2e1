"""Orders of which nothing is paid: when they are cancelled, and who puts that off."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.input import parse
from domain.orders import commands, events, rules, unpaid
from tests.support.desk import cancel_unpaid, pay_part, put_off
from tests.support.order_events import (
    all_returned,
    cancelled,
    clock_shipped,
    delivered,
    noted,
    order,
    paid,
    part_paid,
    placed,
    placed_on_account,
    put_off_to_january,
    shipped,
    voided,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
in_january = replace(cancel_unpaid, until=date(2027, 1, 15))


def due_at(event: object) -> datetime:
    return unpaid.due_at(event, NOON, days=30, zone=BERLIN)


# What follows an order.


def test_an_order_is_cancelled_unless_something_is_paid_of_it_in_time() -> None:
    assert unpaid.react("order-1", placed, days=30) == [cancel_unpaid]
    assert due_at(placed) == NOON + timedelta(days=30)


def test_an_order_on_account_has_the_days_to_pay_before() -> None:
    assert due_at(placed_on_account) == NOON + timedelta(days=44)


def test_a_gift_is_not_unpaid() -> None:
    assert unpaid.react("order-1", replace(placed, total=0), days=30) == []


def test_freight_alone_can_be_unpaid() -> None:
    gift = replace(placed, freight=650, total=650)

    assert unpaid.react("order-1", gift, days=30) == [cancel_unpaid]


def test_it_is_put_off_to_the_end_of_a_day() -> None:
    """The day ends when it does in the shop."""
    assert unpaid.react("order-1", put_off_to_january, days=30) == [in_january]
    assert due_at(put_off_to_january) == datetime(2027, 1, 15, 23, tzinfo=UTC)


def test_the_day_ends_by_summer_time_in_summer() -> None:
    in_june = events.CancellationPutOff(until=date(2027, 6, 15))

    assert due_at(in_june) == datetime(2027, 6, 15, 22, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize("day", ["0002-01-01", "9998-12-31"])
def test_any_day_to_which_it_can_be_put_off_has_an_end(day: str, zone: str) -> None:
    """An error there would stop all that follows later orders."""
    told = parse(commands.PutOffCancellation, {"order_id": 1, "until": day})
    event = events.CancellationPutOff(until=told.until)
    due = unpaid.due_at(event, NOON, days=30, zone=ZoneInfo(zone))

    assert due.astimezone(UTC)


def test_nothing_follows_other_events() -> None:
    assert unpaid.react("order-1", noted, days=30) == []


# Whether it is cancelled.


def test_an_order_that_is_not_paid_in_time_is_cancelled() -> None:
    order.given(placed).when(cancel_unpaid).then(
        events.OrderCancelled(reason="It was not paid within 30 days.")
    )


def test_the_days_on_account_are_among_those_that_the_reason_tells() -> None:
    order.given(placed_on_account).when(cancel_unpaid).then(
        events.OrderCancelled(reason="It was not paid within 44 days.")
    )


def test_so_is_one_of_which_no_payment_was_good() -> None:
    order.given(placed, paid, voided).when(cancel_unpaid).then(
        events.OrderCancelled(reason="It was not paid within 30 days.")
    )


LEFT_ALONE = [
    [paid],
    [part_paid],
    [cancelled],
    [paid, shipped],
    [shipped],
    [shipped, delivered],
    [shipped, all_returned],
    [clock_shipped],
]


@pytest.mark.parametrize("past", LEFT_ALONE)
def test_what_is_paid_in_part_or_shipped_or_cancelled_is_left_alone(
    past: list[Any],
) -> None:
    order.given(placed_on_account, *past).when(cancel_unpaid).then_nothing()


def test_the_first_day_passes_if_it_was_put_off() -> None:
    order.given(placed, put_off_to_january).when(cancel_unpaid).then_nothing()
    order.given(placed, put_off_to_january).when(in_january).then(
        events.OrderCancelled(reason="It was not paid until 2027-01-15.")
    )


def test_only_the_day_counts_to_which_it_was_put_off_last() -> None:
    to_may = events.CancellationPutOff(until=date(2027, 5, 1))
    past = (placed, put_off_to_january, to_may)

    order.given(*past).when(in_january).then_nothing()
    order.given(*past).when(replace(in_january, until=to_may.until)).then(
        events.OrderCancelled(reason="It was not paid until 2027-05-01.")
    )


def test_a_command_of_before_such_days_is_one_without() -> None:
    old = parse(commands.CancelUnpaidOrder, {"order_id": 1, "days": 30})

    assert old == cancel_unpaid


# Putting it off.


def test_the_cancelling_of_an_unpaid_order_is_put_off() -> None:
    order.given(placed).when(put_off).then(put_off_to_january)


def test_it_can_be_put_off_again_and_brought_forward() -> None:
    for day in (date(2027, 5, 1), date(2027, 1, 2)):
        order.given(placed, put_off_to_january).when(replace(put_off, until=day)).then(
            events.CancellationPutOff(until=day)
        )


def test_to_the_same_day_it_is_put_off_once() -> None:
    order.given(placed, put_off_to_january).when(put_off).then_nothing()


@pytest.mark.parametrize("past", LEFT_ALONE)
def test_what_is_not_cancelled_is_not_put_off(past: list[Any]) -> None:
    order.given(placed_on_account, *past).when(put_off).then_rejected(
        rules.NothingToPutOff, "it is not cancelled for being unpaid"
    )


def test_a_gift_is_not_put_off() -> None:
    order.given(replace(placed, total=0)).when(put_off).then_rejected(
        rules.NothingToPutOff, "Order 1 is paid"
    )


def test_what_was_put_off_can_be_paid() -> None:
    order.given(placed, put_off_to_january).when(pay_part).then(part_paid)

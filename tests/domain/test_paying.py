"""Paying for an order, in parts and late, and what goes back."""

from dataclasses import replace
from typing import Any

import pytest

from domain.fields import MAX_TOTAL
from domain.orders import commands, events, rules
from domain.orders.state import Order
from tests.support.desk import cancel, pay, pay_part, refund, ship, void
from tests.support.order_events import (
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
    refunded,
    rest_paid,
    shipped,
    voided,
)

ONE_CENT = events.PaymentReceived(payment=1, amount=1)
with_freight = replace(placed, freight=650, total=11_549)


def after(*past: object) -> Order:
    """Return the order after these events."""
    found = order.given(*past).state
    assert isinstance(found, Order)
    return found


def money(*past: object) -> tuple[int, int]:
    """Return what is due after these events, and what can be refunded."""
    standing = after(*past).standing
    return standing.due, standing.credit


def amount(of: Any, amount: int) -> Any:
    return replace(of, amount=amount)


# What comes in.


def test_an_order_is_paid_at_once_or_in_parts() -> None:
    order.given(placed).when(pay).then(paid)
    order.given(placed).when(pay_part).then(part_paid)
    order.given(placed, part_paid).when(amount(pay, 5_899)).then(rest_paid)


def test_each_payment_lowers_what_is_due() -> None:
    assert money(placed) == (10_899, 0)
    assert money(placed, part_paid) == (5_899, 0)
    assert money(placed, part_paid, rest_paid) == (0, 0)


def test_freight_is_due_with_the_lines() -> None:
    order.given(with_freight).when(amount(pay, 11_549)).then(amount(paid, 11_549))

    assert money(with_freight, paid) == (650, 0)


def test_no_more_is_paid_than_is_due() -> None:
    order.given(placed).when(amount(pay, 10_900)).then_rejected(
        rules.PaymentTooHigh,
        "Of the 108.99 EUR that this order costs, 108.99 EUR is not paid;"
        " 109.00 EUR is more.",
    )
    order.given(placed, part_paid).when(amount(pay, 5_900)).then_rejected(
        rules.PaymentTooHigh, "costs, 58.99 EUR is not paid; 59.00 EUR is more"
    )


def test_an_order_of_which_nothing_is_due_is_paid_no_more() -> None:
    order.given(placed, paid).when(amount(pay, 1)).then_rejected(
        rules.OrderAlreadyPaid, "108.99 EUR was received for the 108.99 EUR it costs"
    )


def test_a_gift_is_not_paid() -> None:
    gift = replace(placed, total=0)

    order.given(gift).when(amount(pay, 1)).then_rejected(rules.OrderAlreadyPaid)


def test_what_an_order_costs_at_most_can_be_paid_at_once() -> None:
    dearest = replace(placed, total=MAX_TOTAL)

    order.given(dearest).when(amount(pay, MAX_TOTAL)).then(amount(paid, MAX_TOTAL))


@pytest.mark.parametrize("past", [[shipped], [shipped, delivered], [clock_shipped]])
def test_an_order_on_account_is_paid_after_it_was_shipped(past: list[Any]) -> None:
    order.given(placed_on_account, *past).when(pay).then(paid)


def test_an_imported_order_that_is_shipped_can_be_paid() -> None:
    order.given(placed, events.OrderShipped()).when(pay).then(paid)


def test_what_comes_in_after_a_cancellation_is_noted_and_can_be_refunded() -> None:
    order.given(placed, cancelled).when(pay_part).then(part_paid)

    assert money(placed, cancelled, part_paid) == (0, 5_000)
    order.given(placed, cancelled, part_paid).when(amount(refund, 5_000)).then(
        amount(refunded, 5_000)
    )


def test_for_a_cancelled_order_comes_in_what_it_would_have_cost_at_most() -> None:
    order.given(placed, cancelled).when(amount(pay, 10_900)).then_rejected(
        rules.PaymentTooHigh,
        "Of the 108.99 EUR that this order costs, 108.99 EUR is not paid",
    )
    order.given(placed, paid, cancelled).when(amount(pay, 1)).then_rejected(
        rules.OrderAlreadyPaid
    )


def test_of_a_returned_order_nothing_is_due() -> None:
    order.given(placed_on_account, shipped, all_returned).when(pay).then_rejected(
        rules.OrderAlreadyPaid, "0.00 EUR was received for the 0.00 EUR it costs"
    )


def test_what_came_back_is_not_paid() -> None:
    past = (placed_on_account, shipped, clock_returned)

    order.given(*past).when(amount(pay, 5_949)).then(amount(paid, 5_949))
    order.given(*past).when(amount(pay, 5_950)).then_rejected(rules.PaymentTooHigh)


# What was no payment.


def test_a_payment_is_voided_and_is_due_again() -> None:
    order.given(placed, paid).when(void).then(voided)

    assert money(placed, paid, voided) == (10_899, 0)


@pytest.mark.parametrize(
    "past", [[paid], [paid, shipped], [paid, shipped, delivered], [paid, cancelled]]
)
def test_a_payment_may_bounce_at_any_time(past: list[Any]) -> None:
    order.given(placed, *past).when(void).then(voided)


def test_a_later_payment_is_voided_by_its_number() -> None:
    second = commands.VoidPayment(order_id=1, payment=2)

    order.given(placed, part_paid, rest_paid).when(second).then(
        events.PaymentVoided(payment=2, amount=5_899)
    )


def test_payments_are_counted_on_after_a_void_one() -> None:
    again = replace(paid, payment=2)

    order.given(placed, paid, voided).when(pay).then(again)
    order.given(placed, paid, voided, again).when(replace(void, payment=2)).then(
        replace(voided, payment=2)
    )


def test_there_is_no_payment_that_nobody_made() -> None:
    order.given(placed).when(void).then_rejected(
        rules.UnknownPayment, "Order 1 has no payment 1."
    )
    order.given(placed, paid).when(replace(void, payment=2)).then_rejected(
        rules.UnknownPayment
    )


def test_a_payment_is_voided_once() -> None:
    order.given(placed, paid, voided).when(void).then_rejected(
        rules.PaymentAlreadyVoided, "Payment 1 was taken back already."
    )


def test_what_was_refunded_must_have_come_in() -> None:
    past = (placed, paid, cancelled, amount(refunded, 1))

    order.given(*past).when(void).then_rejected(
        rules.PaymentAlreadyRefunded, "0.01 EUR was refunded"
    )


def test_a_payment_that_covers_no_refund_can_still_be_voided() -> None:
    past = (placed, part_paid, rest_paid, cancelled, amount(refunded, 5_000))

    order.given(*past).when(replace(void, payment=2)).then(
        events.PaymentVoided(payment=2, amount=5_899)
    )
    order.given(*past, amount(refunded, 1)).when(
        replace(void, payment=2)
    ).then_rejected(rules.PaymentAlreadyRefunded, "50.01 EUR")


# What goes back.


def test_what_was_paid_for_a_cancelled_order_is_refunded_in_parts() -> None:
    first = amount(refunded, 749)

    order.given(placed, paid, cancelled).when(amount(refund, 749)).then(first)
    order.given(placed, paid, cancelled, first).when(amount(refund, 10_150)).then(
        amount(refunded, 10_150)
    )


def test_no_more_is_refunded_than_is_left() -> None:
    past = (placed, paid, cancelled, amount(refunded, 749))

    order.given(*past).when(amount(refund, 10_151)).then_rejected(
        rules.RefundTooHigh,
        "Of 108.99 EUR that was paid, 101.50 EUR can be refunded; 101.51 EUR is more.",
    )
    assert money(*past) == (0, 10_150)


@pytest.mark.parametrize(
    "past",
    [
        [cancelled],
        [paid],
        [paid, shipped],
        [paid, cancelled, refunded],
        [part_paid, shipped, clock_returned],
    ],
)
def test_what_an_order_costs_is_not_refunded(past: list[Any]) -> None:
    order.given(placed, *past).when(amount(refund, 1)).then_rejected(
        rules.NothingToRefund, "Nothing can be refunded for order 1"
    )


def test_what_came_back_can_be_refunded() -> None:
    past = (placed, paid, shipped, clock_returned)

    assert money(*past) == (0, 4_950)
    order.given(*past).when(amount(refund, 4_950)).then(amount(refunded, 4_950))
    order.given(*past).when(amount(refund, 4_951)).then_rejected(rules.RefundTooHigh)


def test_all_that_was_paid_for_a_returned_order_can_be_refunded() -> None:
    past = (placed, paid, shipped, delivered, all_returned)

    order.given(*past).when(refund).then(refunded)


def test_what_a_change_made_cheaper_can_be_refunded() -> None:
    cheaper = replace(more_clocks, total=10_000)

    assert money(placed, paid, cheaper) == (0, 899)
    order.given(placed, paid, cheaper).when(amount(refund, 899)).then(
        amount(refunded, 899)
    )


def test_what_a_change_made_dearer_is_due() -> None:
    assert money(placed, paid, more_clocks) == (4_950, 0)


def test_what_was_refunded_is_due_again_if_the_order_gets_dearer() -> None:
    past = (placed, paid, replace(more_clocks, total=10_000), amount(refunded, 899))

    assert money(*past) == (0, 0)
    assert money(*past, replace(more_clocks, total=10_899)) == (899, 0)


def test_what_bounced_is_not_refunded() -> None:
    order.given(placed, paid, voided, cancelled).when(refund).then_rejected(
        rules.NothingToRefund
    )


# What is paid before it is shipped.


def test_what_is_not_paid_is_not_shipped() -> None:
    order.given(placed, part_paid).when(ship).then_rejected(
        rules.OrderNotPaid, "58.99 EUR is due"
    )


def test_a_paid_order_can_be_cancelled_and_is_cancelled_once() -> None:
    order.given(placed).when(cancel).then(cancelled)
    order.given(placed, paid).when(cancel).then(cancelled)
    order.given(placed, cancelled).when(cancel).then_nothing()

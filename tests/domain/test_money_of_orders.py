"""
The money of an order adds up whatever is done to it, and its history keeps its start.

Courses of commands by chance, of which many must be refused, against a ledger that
knows none of the shop's code (`tests/support/ledger.py`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, get_args

import pytest

from domain.orders import commands, events
from domain.orders.lines import Line
from domain.orders.order import decide
from domain.orders.standing import Standing, standing_after
from domain.orders.state import evolve
from domain.orders.status import Status
from readmodels import order_details, order_list
from tests.generated.history import sample
from tests.support.courses import Differs, Rules, run_course

ALL = 10_000
USUAL = 600
PENDING = Standing(Status.PENDING, total=10_899)


@pytest.mark.parametrize(
    "courses",
    [
        pytest.param(range(USUAL), id="some"),
        pytest.param(range(USUAL, ALL), marks=pytest.mark.long, id="all others"),
    ],
)
def test_the_shop_says_of_an_order_what_an_independent_ledger_says(
    courses: Sequence[int],
) -> None:
    """
    After each step: what is accepted, the status, the money, lines, payments, parcels.

    By the order itself, by its page and by the list.
    """
    answers: Counter[tuple[str, bool]] = Counter()
    told: Counter[str] = Counter()
    for seed in courses:
        seen = run_course(seed)
        answers += seen.answers
        told += seen.events

    sent = {kind for kind, _ in answers}
    assert {(kind, is_accepted) for kind in sent for is_accepted in (True, False)} == (
        answers.keys()
    )
    # No event that none of them has tells of money, or of a status.
    assert [
        kind
        for kind in get_args(events.OrderEvent)
        if kind.__name__ not in told
        and standing_after(PENDING, sample(kind)) != PENDING
    ] == []


# What the ledger finds where a rule is broken.

Decision = Callable[..., list[Any]]


def found_with(rules: Rules) -> str:
    """Return what is found first where the shop has other rules."""
    for seed in range(USUAL):
        try:
            run_course(seed, rules)
        except Differs as found:
            return str(found).splitlines()[-1]
    raise AssertionError(f"{USUAL} courses have found nothing")


def deciding(change: Callable[[Any, Any], list[Any] | None]) -> Rules:
    """Return rules by which *change* decides, where it does not return None."""

    def decided(order: Any, command: Any, **others: Any) -> list[Any]:
        other = change(order, command) if order.customer_id else None
        return decide(order, command, **others) if other is None else other

    return Rules(decide=decided)


def telling(change: Callable[[Any], Any]) -> Rules:
    """Return rules by which other events follow a command."""
    return Rules(
        decide=lambda order, command, **others: [
            change(event) for event in decide(order, command, **others)
        ]
    )


def test_it_finds_a_payment_of_more_than_is_due() -> None:
    def generous(order: Any, command: Any) -> list[Any] | None:
        if not isinstance(command, commands.ReceivePayment):
            return None
        number = len(order.payments) + 1
        return [events.PaymentReceived(payment=number, amount=command.amount)]

    found = found_with(deciding(generous))

    assert found == "the shop accepts it: True, the ledger: False"


def test_it_finds_a_refund_of_one_cent_too_much() -> None:
    def generous(order: Any, command: Any) -> list[Any] | None:
        is_refund = isinstance(command, commands.RefundPayment)
        if not is_refund or command.amount != order.standing.credit + 1:
            return None
        return [
            events.PaymentRefunded(
                amount=command.amount, currency="EUR", customer_id="ALICE"
            )
        ]

    found = found_with(deciding(generous))

    assert found == "the shop accepts it: True, the ledger: False"


def test_it_finds_a_refund_that_is_refused() -> None:
    def mean(order: Any, command: Any) -> list[Any] | None:
        if not isinstance(command, commands.RefundPayment):
            return None
        decide(order, replace(command, amount=command.amount + 1))
        return None

    found = found_with(deciding(mean))

    assert found == "the shop accepts it: False, the ledger: True"


def test_it_finds_freight_that_is_not_due() -> None:
    def forgetful(event: Any) -> Any:
        if not isinstance(event, events.OrderCreated):
            return event
        return replace(event, total=event.total - event.freight)

    assert "the list has due" in found_with(telling(forgetful))


def test_it_finds_a_sum_of_rounded_lines() -> None:
    def rounding(event: Any) -> Any:
        if not isinstance(event, events.OrderCreated) or event.discount:
            return event
        amounts = (round(worth(line)) for line in event.items)
        return replace(event, total=sum(amounts) + event.freight)

    def worth(line: Line) -> Decimal:
        return line.unit_price * line.quantity * (1 - line.discount)

    assert "the list has" in found_with(telling(rounding))


def test_it_finds_what_came_back_and_is_due() -> None:
    def forgetful(event: Any) -> Any:
        if not isinstance(event, events.OrderReturned):
            return event
        return replace(event, total=event.total + 1)

    assert "the list has" in found_with(telling(forgetful))


def test_it_finds_an_order_that_is_not_returned_by_a_change() -> None:
    def blind(event: Any) -> Any:
        if not isinstance(event, events.OrderItemsChanged):
            return event
        return replace(event, is_returned=False)

    assert (
        found_with(telling(blind)) == "the list has status shipped, the ledger returned"
    )


def test_it_finds_a_void_payment_that_counts() -> None:
    rules = Rules(
        evolve=lambda order, event: (
            order if isinstance(event, events.PaymentVoided) else evolve(order, event)
        )
    )

    assert "the order has payments" in found_with(rules)


def test_it_finds_a_parcel_of_what_is_not_paid() -> None:
    def trusting(order: Any, command: Any) -> list[Any] | None:
        if not isinstance(command, commands.ShipOrder):
            return None
        return decide(replace(order, terms=0), command)

    found = found_with(deciding(trusting))

    assert found == "the shop accepts it: True, the ledger: False"


def test_it_finds_a_page_that_says_something_else_than_the_order() -> None:
    def late(row: Any, fact: Any, looked_up: Any) -> Any:
        if isinstance(fact.event, events.OrderReturned):
            return row
        return order_details.fold(row, fact, looked_up)

    assert "its page has" in found_with(Rules(fold_details=late))


def test_it_finds_a_list_that_says_something_else_than_the_order() -> None:
    def late(row: Any, fact: Any, looked_up: Any) -> Any:
        if isinstance(fact.event, events.PaymentVoided):
            return row
        return order_list.fold(row, fact, looked_up)

    assert "the list has" in found_with(Rules(fold_list=late))


def test_it_finds_a_history_that_tells_of_today_what_was_then() -> None:
    """The first line says what the order cost when it was placed, for ever."""

    def revised(row: Any, fact: Any, looked_up: Any) -> Any:
        found = order_details.fold(row, fact, looked_up)
        first = replace(found.history[0], told={"total": found.total})
        return replace(found, history=(first, *found.history[1:]))

    found = found_with(Rules(fold_details=revised))

    assert found == "the first line of the history has changed"

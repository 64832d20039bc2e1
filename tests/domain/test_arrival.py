"""When an order can have arrived: not before the days it was placed and shipped."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from domain.orders import commands, events, rules
from domain.orders.order import decide
from domain.orders.state import Order, evolve, note_time
from tests.support.desk import deliver
from tests.support.order_events import (
    cancelled,
    clock_shipped,
    delivered,
    more_clocks,
    order,
    paid,
    placed,
    shipped,
)

NOON = datetime(2026, 12, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def told(*facts: tuple[events.OrderEvent, datetime | None]) -> Order:
    """Return the order after events and when they occurred; None is not known yet."""
    found = Order()
    for event, occurred_at in facts:
        found = evolve(found, event)
        found = note_time(found, event, occurred_at) if occurred_at else found
    return found


def arrives(found: Order, moment: datetime) -> list[events.OrderEvent]:
    return decide(found, commands.ConfirmDelivery(order_id=1, delivered_at=moment))


def test_a_shipped_order_arrives() -> None:
    order.given(placed, paid, shipped).when(deliver).then(delivered)


def test_an_order_arrives_once() -> None:
    order.given(placed, paid, shipped, delivered).when(deliver).then_rejected(
        rules.OrderAlreadyDelivered, "Order 1 has arrived already."
    )


@pytest.mark.parametrize(
    ("past", "status"),
    [([], "pending"), ([paid], "paid"), ([cancelled], "cancelled")],
)
def test_what_was_not_shipped_does_not_arrive(
    past: list[events.OrderEvent], status: str
) -> None:
    order.given(placed, *past).when(deliver).then_rejected(
        rules.OrderNotShipped, f"this one is {status}"
    )


def test_an_order_arrives_when_all_of_it_was_shipped() -> None:
    order.given(placed, paid, clock_shipped).when(deliver).then_rejected(
        rules.OrderNotShipped, "this one is paid"
    )


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), "on 1970-01-01: this order was placed on"),
        (NOON - DAY, "this order was placed on 2026-12-23"),
        (NOON + DAY, "this order was shipped on 2026-12-25"),
    ],
)
def test_nothing_arrives_on_a_day_before_it_was_placed_or_shipped(
    moment: datetime, reason: str
) -> None:
    with pytest.raises(rules.DeliveredTooEarly, match=reason):
        arrives(told((placed, NOON), (shipped, NOON + 2 * DAY)), moment)


def test_the_last_of_an_order_arrives_after_its_last_parcel() -> None:
    found = told((placed, NOON), (clock_shipped, NOON), (shipped, NOON + DAY))

    with pytest.raises(rules.DeliveredTooEarly, match="shipped on 2026-12-24"):
        arrives(found, NOON)


def test_a_parcel_that_became_the_last_arrives_after_it_was_shipped() -> None:
    """What was left of the order was taken off it."""
    only_one = replace(more_clocks, is_shipped=True)
    found = told((placed, NOON), (clock_shipped, NOON + DAY), (only_one, NOON + DAY))

    with pytest.raises(rules.DeliveredTooEarly, match="shipped on 2026-12-24"):
        arrives(found, NOON)


def test_what_arrives_on_the_day_it_was_shipped_may_be_noted_as_of_the_morning() -> (
    None
):
    morning = NOON.replace(hour=0)

    assert arrives(told((placed, NOON), (shipped, NOON)), morning) == [
        events.DeliveryConfirmed(delivered_at=morning)
    ]


def test_the_day_is_that_of_the_clock_where_it_arrived() -> None:
    # It is the 24th there, and 11 in the morning of the 23rd by UTC.
    auckland = datetime(2026, 12, 24, 0, 30, tzinfo=timezone(timedelta(hours=13)))

    assert arrives(told((placed, NOON), (shipped, NOON)), auckland)


def test_what_was_shipped_in_the_same_moment_has_no_time_yet() -> None:
    assert arrives(told((placed, None), (shipped, None)), NOON)

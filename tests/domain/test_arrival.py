"""When an order can have arrived: not before the days it was placed and shipped."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from domain.address import Address
from domain.orders import commands, events
from domain.orders.order import Order, decide, evolve, note_time
from domain.orders.rules import DeliveredTooEarly

NOON = datetime(2026, 12, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
created = events.OrderCreated(
    customer_id="ALICE",
    items=(commands.Item(product="RETRO-CLOCK", quantity=2, unit_price=4_950),),
    discount=Decimal(0),
    total=9_900,
    address=Address(street="12 Orchestra Terrace", city="London", country="UK"),
    currency="EUR",
)
shipped = events.OrderShipped(tracking_no="1Z999")


def order(placed_at: datetime | None, shipped_at: datetime | None) -> Order:
    """Return a shipped order; None is a time that the log has not given yet."""
    found = evolve(Order(), created)
    found = note_time(found, created, placed_at) if placed_at else found
    found = evolve(found, shipped)
    return note_time(found, shipped, shipped_at) if shipped_at else found


def arrives(found: Order, moment: datetime) -> list[object]:
    return list(
        decide(found, commands.ConfirmDelivery(order_id=1, delivered_at=moment))
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
    with pytest.raises(DeliveredTooEarly, match=reason):
        arrives(order(NOON, NOON + 2 * DAY), moment)


def test_what_arrives_on_the_day_it_was_shipped_may_be_noted_as_of_the_morning() -> (
    None
):
    morning = NOON.replace(hour=0)

    assert arrives(order(NOON, NOON), morning) == [
        events.DeliveryConfirmed(delivered_at=morning)
    ]


def test_the_day_is_that_of_the_clock_where_it_arrived() -> None:
    # It is the 24th there, and 11 in the morning of the 23rd by UTC.
    auckland = datetime(2026, 12, 24, 0, 30, tzinfo=timezone(timedelta(hours=13)))

    assert arrives(order(NOON, NOON), auckland)


def test_what_was_shipped_in_the_same_moment_has_no_time_yet() -> None:
    assert arrives(order(None, None), NOON)

"""Orders that are not paid in time are cancelled; others are left alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from readmodels import order_list
from tasks import catch_up, commands
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, pay, pay_part, place, put_off
from tests.support.histories import History, order, run_import


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As they come: who does not pay within 30 days does not get it."""
    return replace(settings, unpaid_days=30)


def scheduled(shop: Shop) -> Sequence[tuple[Any, ...]]:
    """Return the commands that wait for their time: what for, and until when."""
    with shop.lent() as connection:
        return connection.execute(
            """
            SELECT id, type, not_before FROM commands
            WHERE not_before IS NOT NULL ORDER BY seq
            """
        ).fetchall()


def placed_at(shop: Shop, order_id: int = 1) -> datetime:
    with shop.lent() as connection:
        row = connection.execute(
            "SELECT occurred_at FROM events WHERE stream_id = %s AND version = 1",
            (f"order-{order_id}",),
        ).fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def let_time_pass(shop: Shop) -> None:
    """Let the day come that the commands wait for, and run them."""
    with shop.lent() as connection:
        connection.execute(
            "UPDATE commands SET not_before = now() WHERE not_before IS NOT NULL"
        )
    for command_id, _, _ in scheduled(shop):
        commands.run(shop, [command_id])
    catch_up.run(shop)


def status_of(shop: Shop) -> str:
    with shop.engine.connect() as connection:
        (order,) = order_list.find(connection).rows
    return order.status


def events_of(shop: Shop) -> list[tuple[str, Any]]:
    with shop.lent() as connection:
        return connection.execute(
            "SELECT type, data FROM events WHERE stream_id = 'order-1' ORDER BY id"
        ).fetchall()


def test_an_order_has_a_day_until_which_it_is_paid(shop: Shop, do: Do) -> None:
    do(alice, place)

    ((_, type_, due),) = scheduled(shop)
    assert (type_, due) == ("CancelUnpaidOrder", placed_at(shop) + timedelta(days=30))


def test_an_order_that_is_not_paid_by_then_is_cancelled(shop: Shop, do: Do) -> None:
    do(alice, place)
    let_time_pass(shop)

    assert status_of(shop) == "cancelled"
    assert events_of(shop)[-1] == (
        "OrderCancelled",
        {"reason": "It was not paid within 30 days."},
    )


def test_days_to_pay_come_before(shop: Shop, do: Do) -> None:
    do(alice, replace(place, terms=14))

    ((_, _, due),) = scheduled(shop)
    assert due == placed_at(shop) + timedelta(days=44)


def test_it_is_put_off_to_the_end_of_a_day_in_the_shop(shop: Shop, do: Do) -> None:
    shop.settings = replace(shop.settings, timezone=ZoneInfo("Asia/Tokyo"))
    do(alice, place, put_off)

    _, (_, type_, due) = scheduled(shop)
    assert (type_, due) == (
        "CancelUnpaidOrder",
        datetime(2027, 1, 15, 15, tzinfo=UTC),
    )


def test_what_was_put_off_is_cancelled_by_the_later_command(shop: Shop, do: Do) -> None:
    do(alice, place, put_off)
    let_time_pass(shop)

    assert [type_ for type_, _ in events_of(shop)] == [
        "OrderCreated",
        "CancellationPutOff",
        "OrderCancelled",
    ]
    assert events_of(shop)[-1][1] == {"reason": "It was not paid until 2027-01-15."}


def test_a_command_of_before_it_could_be_put_off_is_run(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.lent() as connection:
        connection.execute(
            "UPDATE commands SET data = data - 'until' WHERE not_before IS NOT NULL"
        )
    let_time_pass(shop)

    assert status_of(shop) == "cancelled"


def test_before_that_day_nothing_happens(shop: Shop, do: Do) -> None:
    do(alice, place)
    for command_id, _, _ in scheduled(shop):
        commands.run(shop, [command_id])

    assert status_of(shop) == "pending"


@pytest.mark.parametrize(
    ("command", "status"),
    [(pay, "paid"), (pay_part, "pending"), (cancel, "cancelled")],
)
def test_an_order_that_is_cancelled_or_paid_in_part_is_left_alone(
    shop: Shop, do: Do, command: Any, status: str
) -> None:
    do(alice, place, command)
    let_time_pass(shop)

    assert (status_of(shop), len(events_of(shop))) == (status, 2)
    ((command_id, _, _),) = scheduled(shop)
    with shop.lent() as connection:
        row = connection.execute(
            "SELECT status FROM commands WHERE id = %s", (command_id,)
        ).fetchone()
    assert row == ("succeeded",)


def test_the_waiting_command_holds_nothing_up(shop: Shop, do: Do) -> None:
    do(alice, place, pay)

    assert status_of(shop) == "paid"


def test_a_gift_is_never_unpaid(shop: Shop, do: Do) -> None:
    gift = replace(
        place, items=tuple(replace(i, discount=Decimal(1)) for i in place.items)
    )
    do(alice, gift)

    assert scheduled(shop) == []


def test_imported_orders_are_left_alone(shop: Shop, do: Do, tmp_path: Path) -> None:
    """Ten years of orders of which nobody knows whether they were paid."""
    history = History([order(1, "1996-07-04"), order(2, "1996-07-05")])
    imported = run_import(history.write(tmp_path / "old"))
    assert imported.exit_code == 0, imported.output
    catch_up.run(shop)
    assert scheduled(shop) == []

    do(replace(place, customer_id="ALICE"))
    let_time_pass(shop)
    with shop.engine.connect() as connection:
        statuses = {
            row.order_id: row.status for row in order_list.find(connection).rows
        }
    assert statuses == {1: "pending", 2: "pending", 3: "cancelled"}


def test_it_can_be_switched_off(shop: Shop, do: Do) -> None:
    shop.settings = replace(shop.settings, unpaid_days=None)
    do(alice, place)
    shop.settings = replace(shop.settings, unpaid_days=7)
    del shop.process_managers
    do(place)

    ((_, _, due),) = scheduled(shop)
    assert due - placed_at(shop, order_id=2) == timedelta(days=7)

"""The piles of a desk: their first orders, and their number as far as it is counted."""

from datetime import UTC, date, datetime, timedelta

import pytest

from readmodels import desk, order_list
from tasks.shop.wiring import Shop
from tests.readmodels.test_what_a_desk_asks import MANY, TODAY, YESTERDAY, explained
from tests.support.filled_tables import fill_table
from tests.support.order_rows import order

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def many(shop: Shop) -> Shop:
    """Nine thousand orders; one of ten waits to be paid and shipped, and is late."""
    rows = [
        order(
            number,
            status="pending" if number % 10 == 0 else "delivered",
            due=100 if number % 10 == 0 else 0,
            credit=50 if number % 10 == 1 else 0,
            terms=30,
            # Those placed last were needed first.
            required_date=YESTERDAY - timedelta(days=number % 7),
        )
        for number in range(1, MANY + 1)
    ]
    fill_table(shop, order_list.projection, rows)
    with shop.autocommitting.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE readmodels.order_list_g1")
    return shop


def test_a_pile_has_its_first_orders_in_their_order(many: Shop) -> None:
    with many.engine.connect() as connection:
        piles = desk.find_piles(connection, TODAY, 3)

    numbers = {name: [o.order_id for o in pile.orders] for name, pile in piles.items()}
    assert numbers == {
        "due": [10, 20, 30],
        "ready": [10, 20, 30],
        "credit": [1, 11, 21],
        # Of those needed six days before yesterday.
        "late": [20, 90, 160],
    }


def test_no_order_is_late_without_a_day(many: Shop) -> None:
    with many.engine.connect() as connection:
        assert "late" not in desk.find_piles(connection, None, 3)
        assert desk.find_piles(connection, date(2020, 1, 1), 3)["late"].number == 0


def test_a_pile_is_counted_up_to_a_bound(
    many: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with many.engine.connect() as connection:
        counted = desk.find_piles(connection, TODAY, 3)["due"]
        assert (counted.number, counted.has_more) == (900, False)
        monkeypatch.setattr(desk, "MAX_COUNTED", 500)
        bounded = desk.find_piles(connection, TODAY, 3)["due"]

    assert (bounded.number, bounded.has_more) == (500, True)


def test_the_piles_cost_one_statement_that_reads_no_other_orders(many: Shop) -> None:
    with many.engine.connect() as connection, explained(connection) as plans:
        desk.find_piles(connection, TODAY, 3)

    (plan,) = plans
    assert "Seq Scan" not in plan
    for index in ("due", "ready", "credit", "needed"):
        assert f"order_list_g1_{index}_idx" in plan


def test_what_was_placed_in_a_day_is_found_by_an_index(many: Shop) -> None:
    begin = FIRST + timedelta(days=3)
    with many.engine.connect() as connection, explained(connection) as plans:
        found = desk.find_figures(connection, begin, begin + timedelta(minutes=2))
        nothing = desk.find_figures(connection, begin - timedelta(days=9), FIRST)

    # By the minute, from the first day on: order 1 is worth 1.00.
    day = 3 * 24 * 60
    assert found == (2, (day + day + 1) * 100)
    assert nothing == (0, 0)
    assert "order_list_g1_placed_idx" in plans[0]

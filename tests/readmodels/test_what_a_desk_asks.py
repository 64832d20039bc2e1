"""What a desk looks for in the list: what is due, can be refunded, or is late."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from readmodels import order_list
from tasks.shop.wiring import Shop
from tests.support.desk import (
    Do,
    alice,
    bob,
    cancel,
    pay,
    pay_part,
    place,
    ship,
    ship_one_clock,
)
from tests.support.filled_tables import fill_table
from tests.support.order_rows import order

TODAY = date(2026, 12, 1)
YESTERDAY = TODAY - timedelta(days=1)


def numbers(shop: Shop, **asked: Any) -> list[int]:
    with shop.engine.connect() as connection:
        rows = order_list.find(connection, sort="order", **asked).rows
    return [row.order_id for row in rows]


@pytest.fixture
def desk(shop: Shop, do: Do) -> Shop:
    """
    Orders that were needed yesterday, but for 6 and 7, which have no such day.

    1 is paid and shipped, 2 paid and cancelled, 3 paid in part, 4 on account and
    shipped, 5 on account and shipped in part; nothing happened to Bob's 6, and his 7 is
    paid.
    """
    old = replace(place, required_date=YESTERDAY)
    on_account = replace(old, terms=14)
    do(alice, bob, old, old, old, on_account, on_account)
    do(replace(place, customer_id="BOB"), replace(place, customer_id="BOB"))
    do(pay, ship, replace(pay, order_id=2), replace(cancel, order_id=2))
    do(replace(pay_part, order_id=3), replace(ship, order_id=4))
    do(replace(ship_one_clock, order_id=5), replace(pay, order_id=7))
    return shop


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"is_due": True}, [3, 4, 5, 6]),
        ({"is_due": False}, [1, 2, 7]),
        ({"has_credit": True}, [2]),
        ({"has_credit": False}, [1, 3, 4, 5, 6, 7]),
        ({"is_ready": True}, [5, 7]),
        ({"is_ready": False}, [1, 2, 3, 4, 6]),
        ({"is_ready": True, "late_on": TODAY}, [5]),
        ({"is_ready": True, "search": "bob"}, [7]),
        ({"late_on": TODAY}, [3, 5]),
        ({"late_on": YESTERDAY}, []),
        ({"is_due": True, "customer_id": "BOB"}, [6]),
        ({"is_due": True, "status": "shipped"}, [4]),
        ({"is_due": True, "search": "bob"}, [6]),
        ({"late_on": TODAY, "search": "1z"}, [5]),
        ({"late_on": TODAY, "search": "ailce"}, [3, 5]),
        ({"is_due": True, "late_on": TODAY}, [3, 5]),
        ({"is_due": True, "has_credit": True}, []),
    ],
)
def test_the_desk_finds_what_it_has_to_do(
    desk: Shop, asked: dict[str, Any], expected: list[int]
) -> None:
    assert numbers(desk, **asked) == expected


MANY = 9_000
FEW = 100
"""One order of so many is of these."""


@pytest.fixture
def many(shop: Shop) -> Shop:
    """Nine thousand orders; of a few something is due, is late, or can be refunded."""
    rows = [
        order(
            number,
            status="pending" if number % FEW == 0 else "delivered",
            due=100 if number % FEW == 0 else 0,
            credit=50 if number % FEW == 1 else 0,
            terms=30 if number % FEW == 0 else None,
            required_date=YESTERDAY,
        )
        for number in range(1, MANY + 1)
    ]
    fill_table(shop, order_list.projection, rows)
    with shop.autocommitting.connect() as connection:
        connection.exec_driver_sql("VACUUM ANALYZE readmodels.order_list_g1")
    return shop


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"is_due": True}, "due"),
        ({"has_credit": True}, "credit"),
        ({"is_ready": True}, "ready"),
        ({"late_on": TODAY}, "needed"),
    ],
)
@pytest.mark.parametrize("sort", ["-placed", "total"])
def test_few_of_many_orders_are_found_by_an_index(
    many: Shop, asked: dict[str, Any], index: str, sort: str
) -> None:
    with many.engine.connect() as connection, explained(connection) as plans:
        found = order_list.find(connection, sort=sort, **asked).rows

    assert len(found) == 50
    (plan,) = plans
    assert f"order_list_g1_{index}_idx" in plan
    assert "Seq Scan" not in plan


@contextmanager
def explained(connection: sa.Connection) -> Iterator[Sequence[str]]:
    """Have the plan of each statement noted in the list that is yielded."""
    plans: list[str] = []

    def explain(
        _c: Any, cursor: psycopg.Cursor, statement: str, given: Any, *_: Any
    ) -> tuple[str, Any]:
        cursor.execute(f"EXPLAIN {statement}", given)
        plans.append("\n".join(line for (line,) in cursor))
        return statement, given

    sa.event.listen(connection, "before_cursor_execute", explain, retval=True)
    yield plans
    sa.event.remove(connection, "before_cursor_execute", explain)

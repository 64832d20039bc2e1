"""A search, page by page, finds what a plain filter over all rows finds, in order."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from eventstore.projections import views
from readmodels import customers, order_list
from readmodels.customers import CustomerRow
from readmodels.words import words
from tasks.shop.wiring import Shop
from tests.support.filled_tables import fill_table
from tests.support.order_rows import order

NAMES = ("Anna Zoe", "Zoe Abel", "Zeno 1 Oy", "Bo", "Ann-Zo 12", "Łódź Zo", "11 Abel")
DAY = datetime(2026, 1, 1, tzinfo=UTC)
SEARCHES = [
    "z",
    "zo",
    "1",
    "12",
    "#2",
    "a z",
    "c1",
    "C12",
    "ann",
    "1z",
    "lodz",
    "q",
    "'",
]
COUNT = 150


def an_order(number: int, chance: Random) -> Any:
    customer = chance.randrange(40)
    name, email = NAMES[customer % len(NAMES)], f"z{customer}@example.com"
    tracking = f"1Z{number}" if chance.random() < 0.3 else None
    return order(
        number,
        name,
        customer_id=f"C{customer}",
        customer_email=email,
        total=chance.randrange(5),
        status=chance.choice(order_list.STATUSES),
        tracking_number=tracking,
        created_at=DAY + timedelta(days=chance.randrange(9)),
        city=None,
        products=(),
        customer_words=words(name, f"C{customer}", email),
        # Of a forgotten customer no place is left.
        place_words=chance.choice(["", "zoetermeer nederland"]),
        order_words=words(number, tracking),
    )


def a_customer(number: int, chance: Random) -> CustomerRow:
    # Numbers that differ by their letters alone both come first.
    key = f"C{number // 2}" if number % 2 else f"c{number // 2}"
    name, email = chance.choice(NAMES), f"z{number}@example.com"
    return CustomerRow(
        customer_id=key,
        version=1,
        name=name,
        email=email,
        contact_name=None,
        phone=None,
        address=None,
        registered_at=DAY,
        orders=chance.randrange(3),
        worth=chance.randrange(3),
        words=words(name, key, email, None),
    )


@contextmanager
def walking(most: int) -> Iterator[None]:
    """Let no more than *most* rows be tried before the index is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(views, "ROWS_WALKED", most)
        yield


def expected(
    connection: sa.Connection, model: Any, kept: str, search: str, sort: str, first: str
) -> list[Any]:
    """Return the keys that a filter in Python leaves of all rows, in their order."""
    view, way = model.view, "DESC" if sort.startswith("-") else ""
    column = view.sorts[sort.removeprefix("-")]
    rows = connection.exec_driver_sql(
        f"SELECT {view.key}, ' ' || {kept} FROM readmodels.{view.name}"
        f" ORDER BY {column} {way}, {view.key} {way}"
    )
    wanted = words(search).split()
    found = [
        key
        for key, text in rows
        if wanted and all(f" {word}" in text for word in wanted)
    ]
    return sorted(found, key=lambda key: str(key).lower() != first)


def paged(connection: sa.Connection, model: Any, **asked: Any) -> list[Any]:
    listed: list[Any] = []
    after = None
    while True:
        page = model.find(connection, after=after, **asked)
        listed += [getattr(row, model.view.key) for row in page.rows]
        after = page.following
        if after is None:
            return listed
        assert len(page.rows) == asked["limit"]


def sorts_of(model: Any) -> list[str]:
    return [f"{sign}{name}" for name in model.view.sorts for sign in ("", "-")]


LIMITS = st.sampled_from([1, 2, 7, 50, 200])
WALKS = st.sampled_from([0, 1, 5, 60, 2_000])


def test_orders_are_found_as_by_a_filter_over_all_of_them(shop: Shop) -> None:
    chance = Random(7)
    fill_table(
        shop,
        order_list.projection,
        [an_order(number, chance) for number in range(1, COUNT + 1)],
    )

    @settings(max_examples=80, deadline=None)
    @given(
        search=st.sampled_from(SEARCHES),
        sort=st.sampled_from(sorts_of(order_list)),
        limit=LIMITS,
        most=WALKS,
    )
    def check(search: str, sort: str, limit: int, most: int) -> None:
        with shop.engine.connect() as connection, walking(most):
            found = paged(connection, order_list, search=search, sort=sort, limit=limit)
            kept = order_list.SEARCHED
            first = search.removeprefix("#")
            wanted = expected(connection, order_list, kept, search, sort, first)
        assert found == wanted

    check()


def test_customers_are_found_as_by_a_filter_over_all_of_them(shop: Shop) -> None:
    chance = Random(7)
    fill_table(
        shop, customers.projection, [a_customer(number, chance) for number in range(60)]
    )

    @settings(max_examples=60, deadline=None)
    @given(
        search=st.sampled_from(SEARCHES),
        sort=st.sampled_from(sorts_of(customers)),
        limit=LIMITS,
        most=WALKS,
    )
    def check(search: str, sort: str, limit: int, most: int) -> None:
        with shop.engine.connect() as connection, walking(most):
            found = paged(connection, customers, search=search, sort=sort, limit=limit)
            first = search.lower()
            wanted = expected(connection, customers, "words", search, sort, first)
        assert found == wanted

    check()


@pytest.mark.parametrize("most", [0, 10, 2_000])
@pytest.mark.parametrize("asked", [{"status": "paid"}, {"customer_id": "C5"}])
def test_a_search_finds_among_the_rows_that_were_asked_for(
    shop: Shop, asked: dict[str, str], most: int
) -> None:
    chance = Random(11)
    rows = [an_order(number, chance) for number in range(1, COUNT + 1)]
    fill_table(shop, order_list.projection, rows)
    with shop.engine.connect() as connection, walking(most):
        found = paged(
            connection, order_list, search="z", sort="order", limit=3, **asked
        )

    ((name, value),) = asked.items()
    among = [row for row in rows if getattr(row, name) == value]
    wanted = [row for row in among if " z" in f" {row.customer_words}"]
    assert found == [row.order_id for row in wanted]
    assert found


def test_what_is_rare_is_not_looked_for_row_by_row(shop: Shop) -> None:
    """Without figures of the words, PostgreSQL takes each for a common one."""
    chance = Random(3)
    rows = [an_order(number, chance) for number in range(1, 9_001)]
    fill_table(shop, order_list.projection, rows)
    with shop.autocommitting.connect() as connection:
        # As autovacuum does it: what the index has not sorted in yet is looked through.
        connection.exec_driver_sql("VACUUM ANALYZE readmodels.order_list_g1")
        plans: list[str] = []
        explained = [False]

        @sa.event.listens_for(connection, "before_cursor_execute", retval=True)
        def explain(
            _c: Any, cursor: psycopg.Cursor, statement: str, given: Any, *_: Any
        ) -> tuple[str, Any]:
            if not explained[0]:
                explained[0] = True
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS OFF) {statement}", given)
                plans.append("\n".join(line for (line,) in cursor))
                explained[0] = False
            return statement, given

        assert not order_list.find(connection, search="nothing").rows

    walk, index, *looked_up = plans
    assert "Index Scan Backward using order_list_g1_placed_idx" in walk
    assert "rows=2000" in walk
    assert "Bitmap Index Scan on order_list_g1_words_idx" in index
    assert "Seq Scan" not in index
    # Then some rows, and whether a word stands in others, as it is and with a slip.
    sample, *asked = looked_up
    assert "Limit" in sample
    assert "Seq Scan" not in sample
    asked = [plan for plan in asked if "Function Scan on unnest asked" in plan]
    assert len(asked) == 2
    for plan in asked:
        assert "Bitmap Index Scan on order_list_g1_words_idx" in plan
        assert "Seq Scan" not in plan

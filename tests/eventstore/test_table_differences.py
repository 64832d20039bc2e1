"""What differs between two tables of the same read model."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eventstore.projections.table import Table
from eventstore.projections.table_differences import (
    DifferenceCounts,
    RowDifference,
    compare_tables,
    count_differences,
    find_differences,
)
from eventstore.steps import send_all
from tests.support.engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A row with a column of each form; *books* is JSON."""

    shelf: int
    name: str
    worth: Decimal | None
    books: tuple[str, ...]


BEFORE = Table("shelves_before", Shelf, "shelf")
AFTER = Table("shelves_after", Shelf, "shelf")


def shelf(number: int, **changes: Any) -> Shelf:
    wanted: dict[str, Any] = {"name": "novels", "worth": None, "books": ("Emma",)}
    return Shelf(shelf=number, **{**wanted, **changes})


@pytest.fixture
def tables(engine: Engine) -> None:
    with engine.connection.transaction():
        engine.connection.execute("CREATE SCHEMA IF NOT EXISTS readmodels")
        for table in (BEFORE, AFTER):
            engine.connection.execute(f"DROP TABLE IF EXISTS readmodels.{table.name}")
            table.create(engine.connection)


def fill(
    engine: Engine, before: Mapping[Any, Shelf], after: Mapping[Any, Shelf]
) -> None:
    with engine.connection.transaction():
        for table, rows in ((BEFORE, before), (AFTER, after)):
            engine.connection.execute(f"TRUNCATE readmodels.{table.name}")
            send_all(engine.connection, table.store(rows))


def test_rows_that_came_went_and_changed_are_told_with_their_columns(
    engine: Engine, tables: None
) -> None:
    old: dict[Any, Shelf] = {1: shelf(1), 2: shelf(2), 3: shelf(3)}
    new: dict[Any, Shelf] = {
        2: shelf(2, worth=Decimal(5), books=()),
        3: shelf(3),
        4: shelf(4),
    }
    fill(engine, old, new)

    found = find_differences(engine.connection, BEFORE, AFTER, limit=10)

    assert found == [
        RowDifference(1, old[1], None, ()),
        RowDifference(2, old[2], new[2], ("worth", "books")),
        RowDifference(4, None, new[4], ()),
    ]
    assert count_differences(engine.connection, BEFORE, AFTER) == DifferenceCounts(
        came=1, went=1, changed=1, columns={"worth": 1, "books": 1}
    )


def test_columns_that_are_not_asked_for_are_not_compared(
    engine: Engine, tables: None
) -> None:
    fill(engine, {1: shelf(1)}, {1: shelf(1, name="poems", worth=Decimal(2))})

    found = find_differences(
        engine.connection, BEFORE, AFTER, limit=10, columns=["books"]
    )

    assert found == []
    counts = count_differences(engine.connection, BEFORE, AFTER, columns=["name"])
    assert (counts.rows, counts.columns) == (1, {"name": 1})


rows: st.SearchStrategy[dict[int, dict[str, Any]]] = st.dictionaries(
    st.integers(0, 6),
    st.builds(
        dict,
        name=st.sampled_from(["novels", "poems"]),
        worth=st.sampled_from([None, Decimal(1), Decimal("1.50")]),
        books=st.sampled_from([(), ("Emma",)]),
    ),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(old=rows, new=rows, limit=st.integers(1, 8))
def test_page_by_page_all_rows_that_differ_are_found_once(
    engine: Engine,
    tables: None,
    old: Mapping[int, dict[str, Any]],
    new: Mapping[int, dict[str, Any]],
    limit: int,
) -> None:
    before: dict[Any, Shelf] = {n: shelf(n, **values) for n, values in old.items()}
    after: dict[Any, Shelf] = {n: shelf(n, **values) for n, values in new.items()}
    fill(engine, before, after)

    found: list[RowDifference] = []
    behind = None
    counts = count_differences(engine.connection, BEFORE, AFTER)
    while page := find_differences(
        engine.connection, BEFORE, AFTER, behind=behind, limit=limit
    ):
        assert len(page) <= limit
        both = compare_tables(
            engine.connection, BEFORE, AFTER, behind=behind, limit=limit
        )
        assert both == (counts, page)
        found += page
        behind = page[-1].key

    keys = sorted(before.keys() | after.keys())
    wanted = [n for n in keys if before.get(n) != after.get(n)]
    assert [one.key for one in found] == wanted
    assert all(
        (one.before, one.after) == (before.get(one.key), after.get(one.key))
        for one in found
    )
    counts = count_differences(engine.connection, BEFORE, AFTER)
    assert counts.rows == len(wanted)
    assert counts.columns.get("name", 0) == sum("name" in one.columns for one in found)

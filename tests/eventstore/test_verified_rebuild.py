"""A rebuild compares what it filled with the live rows, before it puts it live."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from eventstore.errors.rebuilding import RowsDiffer, RowsNotCompared
from eventstore.projections.generations import live_generations
from eventstore.projections.parking import Parker
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.projections.table_differences import count_differences
from eventstore.rebuilding import comparing
from eventstore.rebuilding.comparing import Comparison
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine
from tests.support.rebuilt_counters import (
    COUNTERS,
    change_code,
    corrupt,
    counted,
    keep_up,
    rows,
    tables,
    write,
)
from tests.support.totals import totals


@pytest.fixture
def read_model(engine: Engine) -> Engine:
    """The engine with a read model of ten counters, up to date."""
    return counted(engine)


def test_equal_rows_are_put_live_with_a_report(read_model: Engine) -> None:
    rebuilt = rebuild(read_model.connection, totals)

    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == 0
    assert rebuilt.comparison.position == COUNTERS
    assert (rebuilt.comparison.fold, rebuilt.comparison.is_whole) == ("same", True)


def test_planted_differences_are_reported_and_the_swap_is_refused(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    before = rows(read_model)
    found: list[Comparison] = []
    with pytest.raises(RowsDiffer, match=r"3 rows differ .* the same code") as refused:
        rebuild(read_model.connection, totals, report=found.append)
    [comparison] = found

    assert rows(read_model) == before
    assert refused.value.differing == comparison.differing == 3
    counts = comparison.rows
    assert (counts.came, counts.went, counts.changed) == (1, 1, 1)
    assert counts.columns == {"total": 1}
    [changed, came, went] = comparison.examples
    assert (changed.key, changed.columns) == ("c3", ("total",))
    was, now = changed.before, changed.after
    assert was is not None
    assert now is not None
    assert (was.total, now.total) == (24, 23)
    assert (came.key, came.before) == ("c4", None)
    assert (went.key, went.after) == ("nobody", None)


@pytest.mark.parametrize(
    ("version", "fold", "words"),
    [
        ("of other code", "changed", "its code has changed"),
        (None, "unknown", "by which code they were made is not known"),
    ],
)
def test_after_a_change_of_the_code_the_report_is_a_preview(
    read_model: Engine, version: str | None, fold: str, words: str
) -> None:
    corrupt(read_model)
    change_code(read_model, version)
    found: list[Comparison] = []
    with pytest.raises(RowsDiffer, match=words):
        rebuild(read_model.connection, totals, report=found.append)
    rebuild(read_model.connection, totals, accept_differences=3, report=found.append)

    assert [one.fold for one in found] == [fold, fold]
    assert live_generations(read_model.connection)["totals"].number == 2


def test_changed_code_that_makes_the_same_rows_needs_no_leave(
    read_model: Engine,
) -> None:
    change_code(read_model)

    assert rebuild(read_model.connection, totals).generation == 2


def test_rows_that_change_while_it_is_filled_are_no_differences(
    read_model: Engine,
) -> None:
    other = replace(read_model, connection=read_model.connect())
    amounts = iter(range(20, 100))

    def show(progress: Progress) -> None:
        if progress.phase in ("filling", "comparing"):
            write(other, ("c1", next(amounts)), (f"new{next(amounts)}", 1))
            if progress.phase == "filling":
                keep_up(other, other.connection)

    rebuilt = rebuild(read_model.connection, totals, show=show)
    write(other, ("c1", 1))
    keep_up(other, other.connection)

    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == 0
    row = read_model.connection.execute(
        "SELECT sum((data ->> 'amount')::int) FROM events"
        " WHERE stream_id = 'counter-c1'"
    ).fetchone()
    assert row == (dict(rows(read_model))["c1"],)


def test_live_rows_that_are_behind_are_compared_where_they_are(
    read_model: Engine,
) -> None:
    write(read_model, ("c1", 1))
    rebuilt = rebuild(read_model.connection, totals)

    assert rebuilt.comparison is not None
    assert rebuilt.comparison.position == COUNTERS
    assert rebuilt.position == COUNTERS + 1
    assert dict(rows(read_model))["c1"] == 22


def test_live_rows_that_are_far_behind_are_put_aside_only_where_all_is_accepted(
    read_model: Engine,
) -> None:
    write(read_model, *((f"new{n}", 1) for n in range(COUNTERS + 1)))
    before = rows(read_model)
    for accepted in (0, 1_000):
        with pytest.raises(RowsNotCompared, match="at position 10, far behind 21"):
            rebuild(read_model.connection, totals, accept_differences=accepted)
    assert rows(read_model) == before
    assert tables(read_model) == ["totals_g1"]
    dry = rebuild(read_model.connection, totals, is_dry_run=True)
    assert isinstance(dry.refusal, RowsNotCompared)
    rebuilt = rebuild(read_model.connection, totals, accept_differences=None)

    assert rebuilt.comparison is None
    assert rebuilt.not_compared == "the live rows are at position 10, far behind 21"
    assert len(rows(read_model)) == 2 * COUNTERS + 1


def test_live_rows_that_have_read_nothing_are_no_reason_to_refuse(
    read_model: Engine,
) -> None:
    """A rebuild is the fastest way to fill them, once a history was loaded."""
    read_model.connection.execute("DELETE FROM subscriptions WHERE name = 'totals_g1'")
    read_model.connection.execute(
        "INSERT INTO subscriptions (name) VALUES ('totals_g1')"
    )

    rebuilt = rebuild(read_model.connection, totals)

    assert rebuilt.not_compared == "the live rows have read nothing yet"
    assert rebuilt.is_live
    assert len(rows(read_model)) == COUNTERS


def test_the_live_rows_are_caught_up_while_they_are_compared(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither checkpoint is held: only the snapshot is."""
    other = replace(read_model, connection=read_model.connect())
    original = count_differences
    reached: list[int] = []

    def count(*arguments: Any, **more: Any) -> Any:
        write(other, ("c1", 1))
        live = subscription_of(totals, 1)
        reached.append(catch_up(other.connection, live).checkpoint)
        return original(*arguments, **more)

    monkeypatch.setattr(f"{comparing.__name__}.count_differences", count)
    rebuilt = rebuild(read_model.connection, totals)

    assert reached == [COUNTERS + 1]
    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == 0
    assert rebuilt.position == COUNTERS + 1


def test_without_the_snapshot_the_live_rows_would_differ(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(read_model, connection=read_model.connect())
    original = count_differences

    def count(connection: Any, *arguments: Any, **more: Any) -> Any:
        connection.execute("ROLLBACK")
        write(other, ("c1", 1))
        catch_up(other.connection, subscription_of(totals, 1))
        return original(connection, *arguments, **more)

    monkeypatch.setattr(f"{comparing.__name__}.count_differences", count)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals)


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTotal:
    counter: str
    total: int
    doubled: int


def doubled(row: LongTotal | None, fact: Any, looked_up: Any) -> LongTotal:
    total = fact.event.amount + (0 if row is None else row.total)
    return LongTotal(counter=fact.subject, total=total, doubled=2 * total)


def of_another_shape() -> Projection:
    return Projection(
        name="totals",
        row=LongTotal,
        key="counter",
        events=totals.events,
        key_of=totals.key_of,
        fold=doubled,
    )


def test_of_another_definition_the_columns_that_both_have_are_compared(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    rebuilt = rebuild(read_model.connection, of_another_shape())

    assert rebuilt.is_live
    assert rebuilt.comparison is not None
    assert not rebuilt.comparison.is_whole
    assert rebuilt.comparison.columns == ["total"]
    assert rebuilt.comparison.rows.rows == 3


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("DROP TABLE readmodels.totals_g1 CASCADE", "there were no rows"),
        ("DELETE FROM generations", "there were no rows"),
        ("UPDATE generations SET shape = NULL", "made of"),
        ("DELETE FROM subscriptions WHERE name = 'totals_g1'", "made of"),
    ],
)
def test_where_there_is_nothing_to_compare_it_is_put_live_and_says_so(
    read_model: Engine, lost: str, reason: str
) -> None:
    read_model.connection.execute(lost)
    rebuilt = rebuild(read_model.connection, totals)

    assert rebuilt.comparison is None
    assert rebuilt.not_compared is not None
    assert reason in rebuilt.not_compared
    assert len(rows(read_model)) == COUNTERS


def with_a_parked_stream(engine: Engine, projection: Projection) -> Projection:
    """Park a stream for the live rows; return the projection that takes its events."""
    write(engine, ("c1", 13), ("c1", 5), ("c2", 1))
    live = Parker().subscription_of(projection, 1)
    assert catch_up(engine.connection, live).checkpoint == COUNTERS + 3
    return replace(projection, fold=without_superstition)


def test_rows_of_parked_streams_are_counted_apart(read_model: Engine) -> None:
    named = replace(totals, streams={"counter": "counter"})
    rebuilt = rebuild(read_model.connection, with_a_parked_stream(read_model, named))

    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == 0
    assert rebuilt.comparison.parked_unnamed == 0
    assert rebuilt.comparison.rows.apart == 1
    assert dict(rows(read_model))["c1"] == 21 + 18


def test_a_parked_stream_of_rows_that_are_not_named_hides_no_difference(
    read_model: Engine,
) -> None:
    """Which row it feeds nobody knows, so that each has to be accepted."""
    mended = with_a_parked_stream(read_model, totals)
    corrupt(read_model)
    found: list[Comparison] = []
    with pytest.raises(RowsDiffer, match="4 rows differ"):
        rebuild(read_model.connection, mended, report=found.append)
    [comparison] = found
    rebuilt = rebuild(read_model.connection, mended, accept_differences=4)

    assert {one.key for one in comparison.examples} == {"c1", "c3", "c4", "nobody"}
    assert (comparison.rows.apart, comparison.parked_unnamed) == (0, 1)
    assert rebuilt.is_live


def without_superstition(row: Any, fact: Any, looked_up: Any) -> Any:
    assert totals.row is not None
    total = fact.event.amount + (0 if row is None else row.total)
    return totals.row(counter=fact.subject, total=total)

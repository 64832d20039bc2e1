"""A rebuild compares what it filled with the live rows, before it puts it live."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from eventstore.errors import RebuildFailed
from eventstore.errors.rebuilding import RowsDiffer, RowsNotCompared
from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.generations import ensure_generation, live_generations
from eventstore.projections.parking import Parker
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.projections.table_differences import count_differences
from eventstore.rebuilding import comparing
from eventstore.rebuilding.comparing import Comparison
from eventstore.rebuilding.filling import filling_of, read_up_to
from eventstore.rebuilding.fillings import find_fillings
from eventstore.rebuilding.parts import Part
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine, added
from tests.support.totals import totals

COUNTERS = 10


@pytest.fixture
def read_model(engine: Engine) -> Engine:
    """The engine with a read model of ten counters, up to date."""
    ensure_generation(engine.pool, totals)
    write(engine, *((f"c{n}", n + 20) for n in range(COUNTERS)))
    keep_up(engine)
    return engine


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    append(
        engine.connection,
        [(f"counter-{name}", added(amount)) for name, amount in amounts],
        expected=dict.fromkeys((f"counter-{name}" for name, _ in amounts), ANY_VERSION),
    )


def keep_up(engine: Engine, connection: psycopg.Connection[Any] | None = None) -> None:
    live = live_generations(connection or engine.connection)["totals"]
    catch_up(connection or engine.connection, subscription_of(totals, live.number))


def rows(engine: Engine) -> Sequence[tuple[Any, ...]]:
    query = "SELECT counter, total FROM readmodels.totals ORDER BY counter"
    return engine.connection.execute(query).fetchall()


def tables(engine: Engine) -> list[str]:
    return [
        name
        for (name,) in engine.connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'readmodels' ORDER BY 1"
        )
    ]


def corrupt(engine: Engine) -> None:
    """Change a row of the live generation, drop one, and plant one."""
    engine.connection.execute(
        """
        UPDATE readmodels.totals_g1 SET total = total + 1 WHERE counter = 'c3';
        DELETE FROM readmodels.totals_g1 WHERE counter = 'c4';
        INSERT INTO readmodels.totals_g1 VALUES ('nobody', 1);
        """
    )


def change_code(engine: Engine, version: str | None = "of other code") -> None:
    """Have the live rows filled by other code than what runs now."""
    engine.connection.execute(
        "UPDATE fillings SET fold_version = %s WHERE generation = 'totals_g1'",
        (version,),
    )


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


def test_what_was_refused_is_kept_and_goes_on_at_once_when_it_is_accepted(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals, accept_differences=2)
    assert tables(read_model) == ["totals_g1", "totals_g2"]
    [kept] = find_fillings(read_model.connection)
    write(read_model, ("late", 1))
    keep_up(read_model)
    said: list[str] = []
    rebuilt = rebuild(
        read_model.connection, totals, accept_differences=3, say=said.append
    )

    assert (kept.generation, kept.differing, kept.is_tended) == (2, 3, False)
    assert said == ["it goes on at position 10"]
    assert rebuilt.generation == 2
    assert rows(read_model) == [
        *((f"c{n}", n + 20) for n in range(COUNTERS)),
        ("late", 1),
    ]
    assert find_fillings(read_model.connection) == []


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


def test_a_dry_run_ends_with_the_report_and_leaves_nothing(read_model: Engine) -> None:
    corrupt(read_model)
    before = rows(read_model)
    done = rebuild(read_model.connection, totals, is_dry_run=True)

    assert not done.is_live
    assert done.comparison is not None
    assert done.comparison.differing == 3
    assert rows(read_model) == before
    assert tables(read_model) == ["totals_g1"]
    names = read_model.connection.execute("SELECT name FROM subscriptions").fetchall()
    assert ("totals_g2",) not in names


def test_a_dry_run_keeps_what_an_earlier_one_has_promised_to_keep(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals)
    done = rebuild(read_model.connection, totals, is_dry_run=True)
    said: list[str] = []
    rebuild(read_model.connection, totals, accept_differences=3, say=said.append)

    assert done.is_kept
    assert said == ["it goes on at position 10"]


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
    assert dry.not_compared is not None
    rebuilt = rebuild(read_model.connection, totals, accept_differences=None)

    assert rebuilt.comparison is None
    assert rebuilt.not_compared == "the live rows are at position 10, far behind 21"
    assert len(rows(read_model)) == 2 * COUNTERS + 1


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


def test_live_rows_that_stand_still_behind_the_new_ones_keep_what_was_filled(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "SECONDS_TO_WAIT", 0.0)
    write(read_model, ("c1", 1))

    def overtake(progress: Progress) -> None:
        """Have the new rows read what the live ones have not."""
        if progress.phase == "comparing":
            part = filling_of(Part(totals, 2))
            read_up_to(read_model.connect(), part, COUNTERS + 1, lambda _: None)

    with pytest.raises(RowsNotCompared, match="the live rows stand still at 10"):
        rebuild(read_model.connection, totals, show=overtake)
    assert tables(read_model) == ["totals_g1", "totals_g2"]
    keep_up(read_model)
    said: list[str] = []
    rebuild(read_model.connection, totals, say=said.append)

    assert said == ["it goes on at position 11"]


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


def test_an_error_behind_the_swap_does_not_drop_what_is_live(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("too late")

    monkeypatch.setattr("eventstore.rebuilding.course.drop_old", fail)
    with pytest.raises(RuntimeError, match="too late"):
        rebuild(read_model.connection, totals)

    assert live_generations(read_model.connection)["totals"].number == 2
    assert len(rows(read_model)) == COUNTERS


def test_an_interrupted_rebuild_keeps_what_it_has(read_model: Engine) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.phase == "comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(read_model.connection, totals, show=interrupt)
    said: list[str] = []
    rebuild(read_model.connection, totals, say=said.append)

    assert said == ["it goes on at position 10"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE fillings SET fold_version = 'x'", "it was filled by other code"),
        ("UPDATE fillings SET fold_version = NULL", "it was filled by other code"),
        ("UPDATE fillings SET shape = 'x'", "it was of another definition"),
        ("UPDATE fillings SET parts = 2", "2 processes"),
        ("DELETE FROM fillings", "nobody knows"),
        ("DELETE FROM subscriptions WHERE name = 'totals_g2'", "taken away"),
        ("DROP TABLE readmodels.totals_g2", "its tables were dropped"),
    ],
)
def test_a_filling_of_other_code_is_begun_again_and_it_says_why(
    read_model: Engine, change: str, reason: str
) -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(read_model.connection, totals, show=interrupt)
    read_model.connection.execute(change)
    if "fillings" in change:
        # Those of the live rows are as they were.
        change_code(read_model)
    said: list[str] = []
    rebuilt = rebuild(
        read_model.connection, totals, say=said.append, accept_differences=None
    )

    assert rebuilt.generation == 2
    assert len(said) == 1
    assert "is not gone on with" in said[0]
    assert reason in said[0]


def test_several_processes_park_nothing(read_model: Engine) -> None:
    with pytest.raises(ValueError, match="processes must be 1"):
        rebuild(read_model.connection, totals, parker=Parker(), processes=2)


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_make_the_same_rows(read_model: Engine, count: int) -> None:
    before = rows(read_model)
    progress: list[Progress] = []
    rebuilt = rebuild(
        read_model.connection, totals, processes=count, show=progress.append
    )

    assert rebuilt.comparison is not None
    assert rebuilt.comparison.differing == 0
    assert rows(read_model) == before
    names = read_model.connection.execute("SELECT name FROM subscriptions").fetchall()
    assert [name for (name,) in names if "_p" in name] == []
    assert progress[-1].done == progress[-1].total == COUNTERS


def test_what_several_have_filled_goes_on_with_any_number(
    read_model: Engine,
) -> None:
    corrupt(read_model)
    for count, again in ((2, 2), (2, 1), (1, 2)):
        with pytest.raises(RowsDiffer):
            rebuild(read_model.connection, totals, processes=count)
        said: list[str] = []
        with pytest.raises(RowsDiffer):
            rebuild(read_model.connection, totals, processes=again, say=said.append)
        assert said == ["it goes on at position 10"]


@pytest.mark.parametrize("again", [1, 2])
def test_what_several_have_filled_is_kept_where_a_second_run_is_killed(
    read_model: Engine, again: int
) -> None:
    corrupt(read_model)
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals, processes=2)
    shown: list[Progress] = []

    def interrupt(progress: Progress) -> None:
        # By then it has noted where it is.
        shown.append(progress)
        if len(shown) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rebuild(read_model.connection, totals, processes=again, show=interrupt)
    said: list[str] = []
    with pytest.raises(RowsDiffer):
        rebuild(read_model.connection, totals, processes=2, say=said.append)

    assert said == ["it goes on at position 10"]


def test_one_process_that_fails_ends_the_others_and_says_why(
    read_model: Engine,
) -> None:
    write(read_model, ("bad", 13))
    before = rows(read_model)
    with pytest.raises(RebuildFailed, match="event at 11: ValueError: thirteen"):
        rebuild(read_model.connection, totals, processes=2)

    assert rows(read_model) == before
    assert tables(read_model) == ["totals_g1"]

"""Rebuilding: filled beside the live rows and swapped in; readers see no difference."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from eventstore.errors import CannotProject, RebuildFailed
from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.generations import (
    ensure_generation,
    live_generations,
    shape_of,
)
from eventstore.projections.parked_streams import find_parked
from eventstore.projections.parking import Parker
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Index
from eventstore.rebuilding.progress import Progress
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine, added, at_once
from tests.support.totals import totals
from tests.support.waiting import wait_until


@pytest.fixture
def read_model(engine: Engine) -> Engine:
    """The engine with a read model of three counters, up to date."""
    ensure_generation(engine.pool, totals)
    write(engine, ("lamp", 5), ("radio", 7), ("lamp", 9))
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


def rows(connection: psycopg.Connection[Any]) -> Sequence[tuple[Any, ...]]:
    query = "SELECT counter, total FROM readmodels.totals ORDER BY counter"
    return connection.execute(query).fetchall()


def tables(engine: Engine) -> list[str]:
    return [
        name
        for (name,) in engine.connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'readmodels' ORDER BY 1"
        )
    ]


LIVE = [("lamp", 14), ("radio", 7)]


def test_a_rebuilt_read_model_has_the_rows_that_it_had(read_model: Engine) -> None:
    rebuilt = rebuild(read_model.connection, totals)

    assert (rebuilt.generation, rebuilt.position, rebuilt.swaps_tried) == (2, 3, 1)
    assert rows(read_model.connection) == LIVE


def test_what_somebody_changed_in_the_rows_is_gone(read_model: Engine) -> None:
    read_model.connection.execute("UPDATE readmodels.totals_g1 SET total = 0")
    rebuild(read_model.connection, totals, accept_differences=2)

    assert rows(read_model.connection) == LIVE


def test_it_goes_on_being_kept_up_to_date(read_model: Engine) -> None:
    rebuild(read_model.connection, totals)
    write(read_model, ("clock", 1))
    keep_up(read_model)

    assert rows(read_model.connection) == [("clock", 1), *LIVE]


@pytest.mark.parametrize(
    "dropped",
    [
        "DROP TABLE readmodels.totals_g1 CASCADE",
        "DROP SCHEMA readmodels CASCADE",
        "DROP VIEW readmodels.totals",
        "DELETE FROM generations",
        "DELETE FROM subscriptions",
        "DELETE FROM generations; DELETE FROM subscriptions",
    ],
)
def test_it_is_rebuilt_after_somebody_dropped_it(
    read_model: Engine, dropped: str
) -> None:
    read_model.connection.execute(dropped)
    rebuild(read_model.connection, totals)

    assert rows(read_model.connection) == LIVE


def test_a_dropped_table_stops_its_own_read_model_alone(read_model: Engine) -> None:
    read_model.connection.execute("DROP TABLE readmodels.totals_g1 CASCADE")
    write(read_model, ("clock", 1), ("clock", 1))
    reached = catch_up(read_model.connection, subscription_of(totals, 1))

    assert (reached.checkpoint, reached.stopped_at) == (3, 4)


def test_a_read_model_that_never_was_is_filled_with_its_history(
    engine: Engine,
) -> None:
    write(engine, ("lamp", 14), ("radio", 7))
    rebuild(engine.connection, totals)

    assert rows(engine.connection) == LIVE


def test_the_generation_before_is_kept_and_the_one_before_that_dropped(
    read_model: Engine,
) -> None:
    for _ in range(3):
        rebuild(read_model.connection, totals)

    assert tables(read_model) == ["totals_g3", "totals_g4"]


def test_the_new_generation_has_its_indexes(read_model: Engine) -> None:
    rebuild(read_model.connection, totals)

    assert set(indexes(read_model)) == {"totals_g2_pkey", "totals_g2_total_idx"}


def test_an_event_that_cannot_be_projected_leaves_the_live_one_alone(
    read_model: Engine,
) -> None:
    write(read_model, ("lamp", 13))
    with pytest.raises(RebuildFailed, match="event at 4: ValueError: thirteen"):
        rebuild(read_model.connection, totals)

    assert rows(read_model.connection) == LIVE
    assert tables(read_model) == ["totals_g1"]


def test_with_a_parker_it_goes_on_and_leaves_the_stream_out(
    read_model: Engine,
) -> None:
    connection = read_model.connection
    write(read_model, ("lamp", 13), ("radio", 1))
    write(read_model, ("lamp", 1))
    rebuilt = rebuild(connection, totals, parker=Parker())
    [parked] = find_parked(connection, "totals")

    assert rebuilt.position == 6
    assert rows(connection) == [("lamp", 14), ("radio", 8)]
    assert (parked.stream_id, parked.position) == ("counter-lamp", 4)


def test_with_a_parker_bad_code_ends_it_all_the_same(read_model: Engine) -> None:
    for name in ("lamp", "radio", "clock"):
        write(read_model, (name, 13))
    with pytest.raises(RebuildFailed, match="ValueError: thirteen") as failed:
        rebuild(read_model.connection, totals, parker=Parker())

    assert isinstance(failed.value.__cause__, CannotProject)
    assert tables(read_model) == ["totals_g1"]
    assert find_parked(read_model.connection) == []


def test_progress_is_told_up_to_the_goal(read_model: Engine) -> None:
    seen: list[Progress] = []
    rebuild(read_model.connection, totals, show=seen.append)

    assert seen[0][:3] == ("filling", 3, 3)
    assert seen[-1] == Progress("swapping", 3, 3)


def test_of_two_rebuilds_at_once_one_is_refused(read_model: Engine) -> None:
    is_begun, may_go_on = threading.Event(), threading.Event()

    def show(_: Progress) -> None:
        is_begun.set()
        assert may_go_on.wait(10)

    def first(connection: psycopg.Connection[Any]) -> None:
        rebuild(connection, totals, show=show)

    def second(connection: psycopg.Connection[Any]) -> None:
        assert is_begun.wait(10)
        try:
            with pytest.raises(RebuildFailed, match="somebody else is rebuilding"):
                rebuild(connection, totals)
        finally:
            may_go_on.set()

    at_once(read_model, first, second)
    assert rows(read_model.connection) == LIVE


def test_what_comes_in_during_the_filling_is_in_the_new_rows(
    read_model: Engine,
) -> None:
    names = iter(["clock", "organ"])

    def show(_: Progress) -> None:
        name = next(names, None)
        if name:
            write(other, (name, 1))
            keep_up(other, other.connection)

    other = replace(read_model, connection=read_model.connect())
    rebuild(read_model.connection, totals, show=show)

    assert rows(read_model.connection) == [("clock", 1), LIVE[0], ("organ", 1), LIVE[1]]


def test_a_reader_who_keeps_the_view_is_waited_for_in_short_tries(
    read_model: Engine,
) -> None:
    reader = read_model.connect(autocommit=False)
    assert rows(reader) == LIVE
    progress: list[Progress] = []

    def show(step: Progress) -> None:
        progress.append(step)
        # Told once before the first try, and once with each.
        if [one.phase for one in progress].count("swapping") == 4:
            reader.rollback()

    rebuilt = rebuild(read_model.connection, totals, show=show)
    assert rebuilt.swaps_tried == 3
    assert rows(reader) == LIVE


def a_swap_waits(engine: Engine) -> bool:
    row = engine.connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks
            WHERE NOT granted AND relation = 'readmodels.totals'::regclass
        )
        """
    ).fetchone()
    return row == (True,)


def read_during_a_swap_that_waits(engine: Engine) -> None:
    """Read with little patience while a rebuild waits for a reader who does not go."""
    keeper = engine.connect(autocommit=False)
    rows(keeper)
    impatient = engine.connect()
    # A swap may hold up those behind it for 50 ms; the rest is for a busy machine.
    impatient.execute("SET lock_timeout = '1s'")
    swapping = threading.Thread(target=rebuild, args=(engine.connect(), totals))
    swapping.start()
    try:
        for _ in range(3):
            wait_until(lambda: a_swap_waits(engine), "a swap waits for the view")
            assert rows(impatient) == LIVE
    finally:
        keeper.rollback()
        swapping.join()
    assert rows(impatient) == LIVE


def test_no_reader_waits_behind_a_swap_that_waits(read_model: Engine) -> None:
    read_during_a_swap_that_waits(read_model)
    assert live_generations(read_model.connection)["totals"].number == 2


def test_without_the_short_lock_timeout_readers_wait(
    read_model: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.rebuilding.swapping.LOCK_TIMEOUT_MS", 30_000)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        read_during_a_swap_that_waits(read_model)


def test_what_is_built_upon_the_view_is_not_torn_down(read_model: Engine) -> None:
    read_model.connection.execute(
        "CREATE VIEW readmodels.mine AS SELECT * FROM readmodels.totals"
    )
    with pytest.raises(RebuildFailed, match="built upon its view"):
        rebuild(read_model.connection, totals)

    assert rows(read_model.connection) == LIVE


def test_what_a_killed_rebuild_left_is_dropped_by_the_next(read_model: Engine) -> None:
    killed = read_model.connect()

    def die(_: Progress) -> None:
        killed.close()

    with pytest.raises(psycopg.OperationalError):
        rebuild(killed, totals, show=die)
    assert tables(read_model) == ["totals_g1", "totals_g2"]
    rebuild(read_model.connection, totals)

    assert tables(read_model) == ["totals_g1", "totals_g2"]
    assert rows(read_model.connection) == LIVE


def test_an_old_table_that_is_built_upon_does_not_undo_the_swap(
    read_model: Engine,
) -> None:
    read_model.connection.execute(
        "CREATE VIEW public.mine AS SELECT counter FROM readmodels.totals_g1"
    )
    try:
        rebuild(read_model.connection, totals)
        assert rebuild(read_model.connection, totals).generation == 3
        assert tables(read_model) == ["totals_g1", "totals_g2", "totals_g3"]
    finally:
        read_model.connection.execute("DROP VIEW public.mine")


def test_rows_without_a_checkpoint_are_not_taken_for_good(read_model: Engine) -> None:
    read_model.connection.execute("DELETE FROM subscriptions")

    assert live_generations(read_model.connection)["totals"].shape is None


def test_a_generation_is_made_beside_tables_that_are_nobodys(
    read_model: Engine,
) -> None:
    read_model.connection.execute("DELETE FROM generations")
    ensure_generation(read_model.pool, totals)

    assert live_generations(read_model.connection)["totals"].number == 2


def test_what_is_being_filled_for_the_first_time_is_left_to_that(
    engine: Engine,
) -> None:
    write(engine, ("lamp", 14), ("radio", 7))

    def show(_: Progress) -> None:
        ensure_generation(engine.pool, totals)
        assert live_generations(engine.connection) == {}

    other = engine.connect()
    assert rebuild(other, totals, show=show).generation == 1
    assert rows(other) == LIVE


def test_what_the_database_refuses_is_told_as_a_failed_rebuild(
    read_model: Engine,
) -> None:
    unindexable = Index(name="bad", on="(1 / (total - 14))")
    with pytest.raises(RebuildFailed, match="22012"):
        rebuild(read_model.connection, replace(totals, indexes=[unindexable]))

    assert rows(read_model.connection) == LIVE
    assert tables(read_model) == ["totals_g1"]


def test_an_index_that_updates_need_is_there_while_it_is_filled(
    read_model: Engine,
) -> None:
    early = Index(name="early", on="total", is_early=True)
    late = Index(name="late", on="total")
    seen: list[str] = []

    def show(_: Progress) -> None:
        seen.extend(indexes(read_model) if not seen else [])

    changed = replace(totals, indexes=[early, late])
    rebuild(read_model.connect(), changed, show=show)

    assert set(seen) == {"totals_g2_pkey", "totals_g2_early_idx"}
    assert set(indexes(read_model)) == {*seen, "totals_g2_late_idx"}


def test_an_index_of_some_rows_alone_is_another_definition(read_model: Engine) -> None:
    some = replace(
        totals, indexes=[Index(name="dear", on="counter", where="total > 7")]
    )
    every = replace(totals, indexes=[Index(name="dear", on="counter")])
    rebuild(read_model.connection, some)

    [(definition,)] = read_model.connection.execute(
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'totals_g2_dear_idx'"
    )
    assert definition.endswith("(counter) WHERE (total > 7)")
    assert shape_of(some) != shape_of(every) != shape_of(totals)


def indexes(engine: Engine) -> list[str]:
    return [
        name
        for (name,) in engine.connection.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'totals_g2'"
        )
    ]

"""Snapshots save reading, and never change what is read."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from eventstore.aggregates import loading, snapshots
from eventstore.aggregates.command_handler import handle
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import load
from eventstore.aggregates.snapshots import SnapshotCount, count_snapshots
from eventstore.errors import WrongExpectedVersion
from eventstore.journal.take import LeasedStream, release
from eventstore.log.append import append
from tests.support.engine import (
    COUNTERS,
    Add,
    AddIfZero,
    Counter,
    Engine,
    added,
)
from tests.support.snapshots import WiderCounter, keep_snapshot, returned_rows, row_of

CLOCK = "counter-clock"
(COUNTER,) = COUNTERS.all


def with_decider(**changed: Any) -> Deciders:
    return Deciders([replace(COUNTER, **changed)])


WIDER = with_decider(
    initial=WiderCounter(),
    evolve=lambda state, event: WiderCounter(
        state.total + event.amount, 2 * (state.total + event.amount)
    ),
)


@pytest.fixture
def clock(engine: Engine) -> Engine:
    """A counter with a snapshot at 5 and two events behind it; it counts to 28."""
    engine.append(CLOCK, 1, 2, 3, 4, 5, 6, 7, expected=0)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 5)
    return engine


def total(engine: Engine, deciders: Deciders = COUNTERS) -> tuple[int, int]:
    """Return what the clock counts, and its version, as they are loaded."""
    streams = load(engine.connection, [CLOCK], deciders)
    return streams.states[CLOCK].total, streams.versions[CLOCK]


def change(engine: Engine, assignment: str) -> None:
    """Change the snapshot of the clock behind the engine's back."""
    engine.connection.execute(f"UPDATE snapshots SET {assignment}")


def kept(engine: Engine) -> SnapshotCount:
    return count_snapshots(engine.connection)


def taken(engine: Engine, command: Any) -> LeasedStream:
    taken = engine.take(engine.accept(command))
    assert taken is not None
    return taken


def state_taken(engine: Engine) -> tuple[int, int]:
    """Return what the clock counts, and its version, as they are taken."""
    past = taken(engine, Add(counter_id="clock")).past
    streams = loading.fold_histories(engine.connection, {CLOCK: past}, COUNTERS)
    release(engine.connection, CLOCK)
    return streams.states[CLOCK].total, streams.versions[CLOCK]


READINGS = {"loaded": total, "taken": state_taken}


@pytest.fixture(params=READINGS)
def read(request: pytest.FixtureRequest) -> Callable[[Engine], tuple[int, int]]:
    """Both ways in which the engine comes to a stream's state."""
    return READINGS[request.param]


def test_only_the_events_after_the_snapshot_are_returned(
    clock: Engine,
    read: Callable[[Engine], tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with returned_rows(monkeypatch) as rows:
        state = read(clock)

    assert state == (28, 7)
    (counted,) = rows
    assert (counted["snapshot"], counted["event"]) == (1, 2)


def test_the_state_is_that_of_the_snapshot(
    clock: Engine, read: Callable[[Engine], tuple[int, int]]
) -> None:
    """What nobody would see if all events were read behind its back."""
    honest = COUNTER.snapshots.encode(CLOCK, 5, Counter(100))
    snapshots.keep(clock.connection, [honest])

    assert read(clock) == (113, 7)


def test_a_stream_that_ends_with_its_snapshot_needs_no_event(
    clock: Engine, read: Callable[[Engine], tuple[int, int]]
) -> None:
    keep_snapshot(clock.connection, COUNTERS, CLOCK, 7)

    assert read(clock) == (28, 7)


def test_many_streams_are_loaded_in_one_round_trip(
    clock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.append("counter-lamp", 1, 2, expected=0)
    with returned_rows(monkeypatch) as rows:
        streams = load(
            clock.connection, [CLOCK, "counter-lamp", "counter-none", CLOCK], COUNTERS
        )

    assert streams.versions == {CLOCK: 7, "counter-lamp": 2, "counter-none": 0}
    assert streams.states["counter-lamp"] == Counter(3)
    assert len(rows) == 1


def test_what_is_decided_from_a_snapshot_is_appended_at_the_head(clock: Engine) -> None:
    clock.drain(clock.accept(Add(counter_id="clock", amount=2)))

    assert clock.amounts(CLOCK) == [1, 2, 3, 4, 5, 6, 7, 2]


def test_another_stream_that_is_read_is_loaded_from_its_snapshot(clock: Engine) -> None:
    refused = clock.accept(AddIfZero(counter_id="lamp", other="clock"))
    clock.drain(refused)

    assert clock.entry(refused).error == {
        "rule": "CounterFull",
        "message": "It counts to 1000, and is at 28.",
        "figures": {"total": 28},
    }


def test_a_lost_race_is_seen_from_a_snapshot_too(clock: Engine) -> None:
    streams = load(clock.connection, [CLOCK], COUNTERS)
    clock.append(CLOCK, 1, expected=7)

    with pytest.raises(WrongExpectedVersion):
        append(clock.connection, [(CLOCK, added(1))], expected=streams.versions)


CORRUPTIONS = {
    "another state": """state = '{"total": 1000000}'""",
    "a state that is none": """state = '{"total": "many"}'""",
    "no state": "state = '[]'",
    "another checksum": "checksum = repeat('0', 64)",
    "another version": """version = 6, event_id = (
        SELECT metadata ->> 'event_id' FROM events WHERE version = 6
    )""",
}


@pytest.mark.parametrize("corruption", CORRUPTIONS.values(), ids=list(CORRUPTIONS))
def test_a_corrupt_snapshot_is_ignored_counted_and_replaced(
    clock: Engine, read: Callable[[Engine], tuple[int, int]], corruption: str
) -> None:
    change(clock, corruption)

    assert read(clock) == (28, 7)
    row = row_of(clock.connection, CLOCK)
    assert (row["ignored"], row["ignored_because"]) == (1, "corrupt")
    assert (row["version"], row["state"]) == (7, {"total": 28})


def test_without_the_checksum_a_tampered_state_would_be_believed(
    clock: Engine,
    read: Callable[[Engine], tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change(clock, CORRUPTIONS["another state"])
    checksum = row_of(clock.connection, CLOCK)["checksum"]
    monkeypatch.setattr(snapshots, "checksum_of", lambda *_: checksum)

    assert read(clock) == (1_000_013, 7)


TOO_NEW = {
    "a higher version": "version = 500",
    "another history": f"event_id = '{uuid4()}'",
    "no event": "event_id = NULL",
}


@pytest.mark.parametrize("lie", TOO_NEW.values(), ids=list(TOO_NEW))
def test_a_snapshot_of_what_the_stream_has_not_is_ignored_counted_and_replaced(
    clock: Engine, read: Callable[[Engine], tuple[int, int]], lie: str
) -> None:
    change(clock, lie)

    assert read(clock) == (28, 7)
    row = row_of(clock.connection, CLOCK)
    assert (row["ignored"], row["ignored_because"]) == (1, "too_new")
    assert (row["version"], row["state"]) == (7, {"total": 28})


def test_a_snapshot_of_an_empty_stream_is_ignored_and_counted(engine: Engine) -> None:
    engine.append("counter-lamp", 1, expected=0)
    keep_snapshot(engine.connection, COUNTERS, "counter-lamp", 1)
    change(engine, f"stream_id = '{CLOCK}'")

    assert total(engine) == (0, 0)
    assert row_of(engine.connection, CLOCK)["ignored_because"] == "too_new"


def test_a_stale_snapshot_is_ignored_counted_and_replaced(clock: Engine) -> None:
    state = load(clock.connection, [CLOCK], WIDER).states[CLOCK]

    assert state == WiderCounter(28, 56)
    row = row_of(clock.connection, CLOCK)
    assert (row["ignored"], row["ignored_because"]) == (1, "stale")
    assert (row["version"], row["state"]) == (7, {"total": 28, "doubled": 56})


def test_what_was_replaced_is_used_from_then_on(
    clock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    total(clock, WIDER)
    with returned_rows(monkeypatch) as rows:
        assert total(clock, WIDER) == (28, 7)

    assert rows == [{"snapshot": 1}]


def test_the_count_outlives_what_it_counted(clock: Engine) -> None:
    change(clock, CORRUPTIONS["another state"])
    total(clock)
    change(clock, TOO_NEW["a higher version"])
    total(clock)
    keep_snapshot(clock.connection, COUNTERS, CLOCK, 6)

    assert kept(clock) == SnapshotCount(streams=1, ignored=2)


def test_only_what_is_no_use_is_read_in_full(
    clock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.append("counter-lamp", 1, 2, expected=0)
    keep_snapshot(clock.connection, COUNTERS, "counter-lamp", 2)
    change(clock, "checksum = '' WHERE stream_id = 'counter-lamp'")
    with returned_rows(monkeypatch) as rows:
        load(clock.connection, [CLOCK, "counter-lamp"], COUNTERS)

    assert rows == [{"snapshot": 2, "event": 2}, {"event": 2}]


def test_a_failure_to_replace_fails_no_command(clock: Engine) -> None:
    change(clock, CORRUPTIONS["another state"])
    clock.connection.execute(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON snapshots EXECUTE FUNCTION refuse()
        """
    )
    try:
        command_id = clock.accept(Add(counter_id="clock", amount=2))
        clock.drain(command_id)
    finally:
        clock.connection.execute("DROP FUNCTION refuse CASCADE")

    assert clock.statuses(command_id) == ["succeeded"]
    assert clock.incidents(command_id) == []
    assert kept(clock).ignored == 0


def test_a_failure_to_replace_leaves_the_callers_transaction_whole(
    clock: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(clock, CORRUPTIONS["another state"])

    def fail(connection: psycopg.Connection[Any], _: object) -> list[str]:
        connection.execute("SELECT 1 / 0")
        return []

    monkeypatch.setattr(loading, "count_ignored", fail)
    with clock.connection.transaction():
        outcome = handle(
            clock.connection,
            Add(counter_id="clock", amount=2),
            stream_id=CLOCK,
            deciders=COUNTERS,
            actor="alice",
        )

    assert outcome.status == "succeeded"
    assert total(clock) == (30, 8)


def test_nobody_waits_for_a_snapshot_that_is_being_written(clock: Engine) -> None:
    change(clock, CORRUPTIONS["another state"])
    writer = clock.connect(autocommit=False)
    writer.execute("SELECT FROM snapshots FOR UPDATE")
    clock.connection.execute("SET lock_timeout = '2s'")

    assert total(clock) == (28, 7)
    writer.rollback()
    assert kept(clock).ignored == 0


def test_a_snapshot_of_a_version_that_is_not_there_is_not_written(
    engine: Engine,
) -> None:
    engine.append(CLOCK, 1, expected=0)
    ahead = COUNTER.snapshots.encode(CLOCK, 2, Counter(3))
    snapshots.keep(engine.connection, [ahead])

    assert kept(engine) == SnapshotCount(streams=0, ignored=0)

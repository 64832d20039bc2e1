"""A stream with a hole is noticed by whoever reads it, and nothing is decided on it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventstore.aggregates.as_of import AsOf, load_as_of
from eventstore.aggregates.loading import load
from eventstore.aggregates.replaying import replay_stream
from eventstore.errors import VersionsMissing
from eventstore.log.read import settled
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy, snapshot_taker
from eventstore.verifying.verify import verify
from tests.support.engine import COUNTERS, Add, AddIfZero, Engine
from tests.support.snapshots import keep_snapshot

STREAM = "counter-1"
HOUR = timedelta(hours=1)


def lose(engine: Engine, *versions: int) -> None:
    """Take events out of the log, as a restore of half a table does."""
    with engine.connection.transaction():
        engine.connection.execute(
            "ALTER TABLE events DISABLE TRIGGER events_refuse_change"
        )
        engine.connection.execute(
            "DELETE FROM events WHERE stream_id = %s AND version = ANY (%s)",
            (STREAM, list(versions)),
        )
        engine.connection.execute(
            "ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change"
        )


def loaded(engine: Engine) -> Any:
    return load(engine.connection, [STREAM], COUNTERS)


def loaded_beside_another(engine: Engine) -> Any:
    return load(engine.connection, ["counter-2", STREAM], COUNTERS)


def loaded_as_of_its_head(engine: Engine) -> Any:
    return load_as_of(engine.connection, [STREAM], COUNTERS, AsOf(version=5))


def loaded_as_of_now(engine: Engine) -> Any:
    now = datetime.now(UTC) + HOUR
    return load_as_of(engine.connection, [STREAM], COUNTERS, AsOf(at=now))


def loaded_as_of_a_position(engine: Engine) -> Any:
    end = AsOf(position=settled(engine.connection))
    return load_as_of(engine.connection, [STREAM], COUNTERS, end)


def replayed(engine: Engine) -> None:
    *_, last = replay_stream(engine.connection, STREAM, COUNTERS)
    if last.error is not None:
        raise last.error


READERS: list[Callable[[Engine], Any]] = [
    loaded,
    loaded_beside_another,
    loaded_as_of_its_head,
    loaded_as_of_now,
    loaded_as_of_a_position,
    replayed,
]
HOLES = {
    (1,): "version 1 is missing",
    (2,): "version 2 is missing",
    (2, 3, 4): "2 to 4 are missing",
    (1, 4): "version 1 is missing",
}


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("lost", HOLES)
def test_a_stream_with_a_hole_is_not_loaded(
    engine: Engine, read: Callable[[Engine], Any], lost: tuple[int, ...]
) -> None:
    engine.append(STREAM, 1, 2, 3, 4, 5, expected=0)
    read(engine)
    lose(engine, *lost)

    with pytest.raises(VersionsMissing, match=f"{STREAM} has a hole: {HOLES[lost]}"):
        read(engine)


@pytest.mark.parametrize("version", [2, 3])
def test_as_of_a_version_in_a_hole_nobody_knows_the_state(
    engine: Engine, version: int
) -> None:
    engine.append(STREAM, 1, 2, 3, 4, 5, expected=0)
    lose(engine, 2, 3)

    with pytest.raises(VersionsMissing, match="2 to 3 are missing"):
        load_as_of(engine.connection, [STREAM], COUNTERS, AsOf(version=version))


def test_as_of_a_version_before_the_hole_a_stream_is_whole(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, 4, 5, expected=0)
    lose(engine, 2, 3)
    streams = load_as_of(engine.connection, [STREAM], COUNTERS, AsOf(version=1))

    assert (streams.versions[STREAM], streams.states[STREAM].total) == (1, 1)


def test_as_of_a_time_a_hole_at_the_end_is_noticed(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, expected=0)
    between = datetime.now(UTC)
    engine.append(STREAM, 3, expected=2)
    lose(engine, 2)

    with pytest.raises(VersionsMissing, match="version 2 is missing"):
        load_as_of(engine.connection, [STREAM], COUNTERS, AsOf(at=between))


def test_a_hole_behind_a_snapshot_is_noticed(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, 4, 5, expected=0)
    keep_snapshot(engine.connection, COUNTERS, STREAM, 2)
    assert loaded(engine).states[STREAM].total == 15
    lose(engine, 3)

    with pytest.raises(VersionsMissing, match="version 3 is missing"):
        loaded(engine)


def test_a_hole_is_noticed_where_the_snapshot_is_no_use(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, 4, 5, expected=0)
    keep_snapshot(engine.connection, COUNTERS, STREAM, 4)
    engine.connection.execute("UPDATE snapshots SET checksum = 'another'")
    lose(engine, 2)

    with pytest.raises(VersionsMissing, match="version 2 is missing"):
        loaded(engine)


def test_a_command_for_a_stream_with_a_hole_waits_and_says_why(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, expected=0)
    lose(engine, 2)
    command = engine.accept(Add(counter_id="1", amount=1))
    engine.drain(command)

    assert engine.statuses(command) == ["accepted"]
    (incident,) = engine.incidents(command)
    assert incident.detail["error"] == "VersionsMissing"
    assert "version 2 is missing" in incident.detail["message"]
    assert [event.version for event in engine.stream(STREAM)] == [1, 3]


def test_a_command_that_reads_a_stream_with_a_hole_waits(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, expected=0)
    lose(engine, 2)
    command = engine.accept(AddIfZero(counter_id="2", other="1"))
    engine.drain(command)

    assert engine.statuses(command) == ["accepted"]
    assert engine.stream("counter-2") == []


def test_the_snapshot_taker_passes_over_a_hole(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, expected=0)
    engine.append("counter-2", 1, 2, 3, expected=0)
    lose(engine, 2)
    taker = snapshot_taker(COUNTERS, policy=SnapshotPolicy(every=1))
    taker.handler(
        engine.connection, [*engine.stream(STREAM), *engine.stream("counter-2")]
    )

    kept = engine.connection.execute("SELECT stream_id FROM snapshots").fetchall()
    assert kept == [("counter-2",)]


def test_verify_names_a_hole_all_the_same(engine: Engine) -> None:
    engine.append(STREAM, 1, 2, 3, expected=0)
    lose(engine, 2)

    found = verify(engine.connection, COUNTERS).findings
    assert [(f.what, f.detail) for f in found] == [
        ("the versions before it are missing", "from 2 to 2")
    ]

"""A reader outside of the log's database knows the log by the event it read last."""

from uuid import UUID, uuid4

import psycopg
import pytest

from eventstore.errors import CheckpointNotInLog
from eventstore.subscriptions.external_store import Batch, ForeignCheckpoint, read_on
from tests.support.engine import Engine
from tests.support.fence import INSERT

BEGINNING = ForeignCheckpoint()


def read(
    engine: Engine, checkpoint: ForeignCheckpoint = BEGINNING, limit: int = 100
) -> Batch:
    return read_on(engine.connection, "search", checkpoint, limit=limit)


def positions(batch: Batch) -> list[int]:
    return [event.position for event in batch.events]


def event_id_at(engine: Engine, position: int) -> UUID:
    ((event_id,),) = engine.connection.execute(
        "SELECT (metadata ->> 'event_id')::uuid FROM events WHERE id = %s", (position,)
    ).fetchall()
    assert isinstance(event_id, UUID)
    return event_id


def test_an_empty_log_leaves_it_at_the_beginning(engine: Engine) -> None:
    assert read(engine) == Batch([], BEGINNING)


def test_it_names_the_last_event_that_was_read(engine: Engine) -> None:
    engine.append("counter-clock", 1, 2, 3, expected=0)

    batch = read(engine, limit=2)

    assert positions(batch) == [1, 2]
    assert batch.checkpoint == (2, event_id_at(engine, 2))


def test_reading_goes_on_behind_it(engine: Engine) -> None:
    engine.append("counter-clock", 1, 2, 3, expected=0)

    first = read(engine, limit=2)
    second = read(engine, first.checkpoint, limit=2)

    assert positions(second) == [3]
    assert read(engine, second.checkpoint) == Batch([], second.checkpoint)


def test_it_is_an_event_and_never_what_is_settled(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)
    undone = engine.connect(autocommit=False)
    undone.execute(INSERT, ("counter-undone", 1))
    undone.rollback()

    assert read(engine).checkpoint.position == 1


def test_it_stays_before_an_event_under_way(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)
    engine.connect(autocommit=False).execute(INSERT, ("counter-slow", 1))
    engine.append("counter-clock", 2, expected=1)

    assert positions(read(engine)) == [1]


def test_it_passes_over_events_of_other_types(engine: Engine) -> None:
    """Else each look would go through them again."""
    engine.append("counter-clock", 1, 2, expected=0)

    batch = read_on(
        engine.connection, "search", BEGINNING, limit=10, types=["Subtracted"]
    )

    assert batch == Batch([], ForeignCheckpoint(2, event_id_at(engine, 2)))


def test_another_event_at_its_place_is_refused(engine: Engine) -> None:
    engine.append("counter-clock", 1, 2, expected=0)

    with pytest.raises(CheckpointNotInLog, match="Rebuild search"):
        read(engine, ForeignCheckpoint(2, uuid4()))


def test_a_log_that_ends_before_it_is_refused(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)

    with pytest.raises(CheckpointNotInLog, match="at 7 that the log has not"):
        read(engine, ForeignCheckpoint(7, uuid4()))


def test_it_wants_a_connection_that_sees_what_is_new(engine: Engine) -> None:
    connection = engine.connect(autocommit=False)
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        read_on(connection, "search", BEGINNING, limit=10)

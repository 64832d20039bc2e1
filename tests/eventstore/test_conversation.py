"""Who follows from whom: one event, what a message caused, a whole conversation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import pytest

from eventstore.journal.effects import Effect, find_effects
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.causation import find_event, read_conversation
from eventstore.log.events import RecordedEvent
from tests.support.engine import Engine, added

COMMAND = UUID("00000000-0000-0000-0000-00000000c0de")


def write(engine: Engine, cause: UUID, *, conversation: UUID = COMMAND) -> UUID:
    """Append an event that *cause* caused, and return its id."""
    event = added(1)
    metadata = msgspec.structs.replace(
        event.metadata, causation_id=cause, correlation_id=conversation
    )
    stream_id = f"counter-{metadata.event_id}"
    append(
        engine.connection,
        [(stream_id, replace(event, metadata=metadata))],
        expected={stream_id: ANY_VERSION},
    )
    return metadata.event_id


def places(effects: list[Effect]) -> list[tuple[int, int]]:
    events = [(effect.message, effect.depth) for effect in effects]
    return [
        (event.position, depth)
        for event, depth in events
        if isinstance(event, RecordedEvent)
    ]


def test_an_event_is_found_by_its_id(engine: Engine) -> None:
    write(engine, COMMAND)
    found = find_event(engine.connection, write(engine, COMMAND))

    assert found is not None
    assert found.position == 2


def test_an_id_that_is_no_events_finds_none(engine: Engine) -> None:
    write(engine, COMMAND)

    assert find_event(engine.connection, COMMAND) is None


def test_what_a_command_caused_is_a_tree_in_its_order(engine: Engine) -> None:
    """1 ── 2 ── 5
    │    └─ 6
    └─ 4
    3
    """
    first = write(engine, COMMAND)
    second = write(engine, first)
    write(engine, COMMAND)
    write(engine, first)
    write(engine, second)
    write(engine, second)
    write(engine, uuid4())

    assert places(find_effects(engine.connection, COMMAND)) == [
        (1, 0),
        (2, 1),
        (5, 2),
        (6, 2),
        (4, 1),
        (3, 0),
    ]


def test_what_an_event_caused_is_below_it(engine: Engine) -> None:
    first = write(engine, COMMAND)
    second = write(engine, first)
    write(engine, second)

    assert places(find_effects(engine.connection, first)) == [(2, 0), (3, 1)]


def test_a_long_chain_is_found_to_its_end(engine: Engine) -> None:
    message = COMMAND
    for _ in range(100):
        message = write(engine, message)

    assert [depth for _, depth in places(find_effects(engine.connection, COMMAND))] == [
        *range(100)
    ]


def test_an_event_that_names_itself_as_its_cause_ends_the_search(
    engine: Engine,
) -> None:
    event = added(1)
    own = msgspec.structs.replace(event.metadata, causation_id=event.metadata.event_id)
    append(
        engine.connection,
        [("counter-1", replace(event, metadata=own))],
        expected={"counter-1": 0},
    )

    assert len(find_effects(engine.connection, own.event_id)) == 1


def test_of_many_effects_the_nearest_are_found(engine: Engine) -> None:
    first = write(engine, COMMAND)
    write(engine, first)
    write(engine, COMMAND)

    assert places(find_effects(engine.connection, COMMAND, limit=2)) == [(1, 0), (3, 0)]


def test_a_conversation_is_all_that_carries_its_id_in_the_order_of_the_log(
    engine: Engine,
) -> None:
    """What its first message caused, and what follows from that."""
    first = write(engine, COMMAND)
    write(engine, uuid4(), conversation=uuid4())
    write(engine, first)
    write(engine, uuid4())
    write(engine, COMMAND)

    events = read_conversation(engine.connection, COMMAND)
    assert [event.position for event in events] == [1, 3, 4, 5]


def test_what_a_message_caused_in_another_conversation_is_not_in_this_one(
    engine: Engine,
) -> None:
    write(engine, COMMAND, conversation=uuid4())

    assert read_conversation(engine.connection, COMMAND) == []


def test_of_a_long_conversation_the_first_are_read(engine: Engine) -> None:
    for _ in range(5):
        write(engine, COMMAND)

    events = read_conversation(engine.connection, COMMAND, limit=3)
    assert [event.position for event in events] == [1, 2, 3]


def test_what_is_not_settled_is_not_found(engine: Engine) -> None:
    """Somebody holds the fence: an event before this one may still come."""
    writer = engine.connect(autocommit=False)
    append(writer, [("counter-1", added(1))], expected={"counter-1": 0})
    event_id = write(engine, COMMAND)

    assert find_event(engine.connection, event_id) is None
    assert find_effects(engine.connection, COMMAND) == []
    assert read_conversation(engine.connection, COMMAND) == []


Ask = Callable[[psycopg.Connection[Any]], object]


@pytest.mark.parametrize(
    ("ask", "indexes"),
    [
        (lambda c: find_event(c, COMMAND), {"events_event_id_idx"}),
        (lambda c: find_effects(c, COMMAND), {"events_causation_id_idx"}),
        (
            lambda c: read_conversation(c, COMMAND),
            {"events_causation_id_idx", "events_correlation_id_idx"},
        ),
    ],
)
def test_each_question_is_answered_by_its_indexes(
    ask: Ask, indexes: set[str], engine: Engine
) -> None:
    connection = engine.connection
    connection.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        SELECT
            'counter-' || n, 'Added', 1, '{}',
            jsonb_build_object(
                'event_id', gen_random_uuid(), 'causation_id', gen_random_uuid(),
                'correlation_id', gen_random_uuid()
            ),
            now()
        FROM generate_series(1, 20000) AS n
        """
    )
    connection.execute("ANALYZE events")

    assert used_by(connection, ask) == indexes


def used_by(connection: psycopg.Connection[Any], ask: Ask) -> set[str]:
    """Return which indexes of events a question looks into; no more is scanned."""
    # What this session counted until now is handed over, and not counted again.
    connection.execute("SELECT pg_stat_force_next_flush()")
    with connection.transaction():
        ask(connection)
        ((rows_scanned,),) = connection.execute(
            "SELECT pg_stat_get_xact_tuples_returned('events'::regclass)"
        ).fetchall()
        used = connection.execute(
            """
            SELECT c.relname FROM pg_index AS i
            JOIN pg_class AS c ON c.oid = i.indexrelid
            WHERE i.indrelid = 'events'::regclass
                AND pg_stat_get_xact_numscans(c.oid) > 0
            """
        ).fetchall()
    assert rows_scanned == 0
    return {name for (name,) in used}

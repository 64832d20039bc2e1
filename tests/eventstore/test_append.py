"""Appending: all or nothing, in order, and only on the version that was read."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from eventstore.errors import CommandAlreadyFinished, WrongExpectedVersion
from eventstore.journal.completion import Completion, append_and_complete
from eventstore.log.append import (
    ANY_VERSION,
    NO_STREAM,
    STREAM_EXISTS,
    append,
)
from eventstore.log.events import Metadata, NewEvent
from tests.support.engine import Add, Engine, added, at_once
from tests.support.waiting import wait_until

CLOCK = "counter-clock"
LAMP = "counter-lamp"


def refusal(
    connection: psycopg.Connection[Any],
    expected: Mapping[str, int],
    *events: tuple[str, NewEvent],
) -> WrongExpectedVersion:
    """Append where that must be refused, and return the refusal."""
    with pytest.raises(WrongExpectedVersion) as refused:
        append(connection, events, expected=expected)
    return refused.value


def recorded_at(engine: Engine, stream_id: str) -> list[datetime | None]:
    metadata = [
        msgspec.json.decode(event.metadata, type=Metadata)
        for event in engine.stream(stream_id)
    ]
    return [m.recorded_at for m in metadata]


def now(connection: psycopg.Connection[Any]) -> datetime:
    ((moment,),) = connection.execute("SELECT clock_timestamp()").fetchall()
    assert isinstance(moment, datetime)
    return moment


def test_versions_of_a_stream_count_from_one(engine: Engine) -> None:
    engine.append(CLOCK, 5, 7, expected=NO_STREAM)
    engine.append(CLOCK, 9, expected=2)

    assert [e.version for e in engine.stream(CLOCK)] == [1, 2, 3]


def test_events_keep_the_order_of_the_decision(engine: Engine) -> None:
    engine.append(CLOCK, *range(1, 51), expected=NO_STREAM)

    assert engine.amounts(CLOCK) == list(range(1, 51))


def test_an_append_tells_where_its_events_came_to_stand(engine: Engine) -> None:
    done = append(
        engine.connection,
        [(CLOCK, added(1)), (LAMP, added(2)), (CLOCK, added(3))],
        expected={LAMP: NO_STREAM, CLOCK: NO_STREAM},
    )

    assert [tuple(place) for place in done] == [
        (1, CLOCK, 1),
        (2, LAMP, 1),
        (3, CLOCK, 2),
    ]


def test_of_several_streams_all_are_written_or_none(engine: Engine) -> None:
    engine.append(LAMP, 1, expected=NO_STREAM)
    refusal(
        engine.connection,
        {CLOCK: NO_STREAM, LAMP: NO_STREAM},
        (CLOCK, added(5)),
        (LAMP, added(5)),
    )

    assert engine.amounts(CLOCK) == []


def test_a_stream_that_was_only_read_is_checked_too(engine: Engine) -> None:
    engine.append(LAMP, 1, expected=NO_STREAM)
    refused = refusal(
        engine.connection, {CLOCK: NO_STREAM, LAMP: NO_STREAM}, (CLOCK, added(5))
    )

    assert refused.stream_id == LAMP


def test_an_append_without_events_holds_for_its_version_only(engine: Engine) -> None:
    engine.append(CLOCK, 1, expected=NO_STREAM)

    assert refusal(engine.connection, {CLOCK: NO_STREAM}).actual == 1


@pytest.mark.parametrize("expected", [1, STREAM_EXISTS, ANY_VERSION])
def test_a_stream_of_one_event_is_as_expected(expected: int, engine: Engine) -> None:
    engine.append(CLOCK, 5, expected=NO_STREAM)
    engine.append(CLOCK, 7, expected=expected)

    assert engine.amounts(CLOCK) == [5, 7]


@pytest.mark.parametrize("expected", [NO_STREAM, 2])
def test_a_stream_of_one_event_is_not_as_expected(
    expected: int, engine: Engine
) -> None:
    engine.append(CLOCK, 5, expected=NO_STREAM)

    assert refusal(engine.connection, {CLOCK: expected}, (CLOCK, added(7))).actual == 1


@pytest.mark.parametrize("expected", [NO_STREAM, ANY_VERSION])
def test_an_empty_stream_is_as_expected(expected: int, engine: Engine) -> None:
    engine.append(CLOCK, 5, expected=expected)

    assert engine.amounts(CLOCK) == [5]


@pytest.mark.parametrize("expected", [1, STREAM_EXISTS])
def test_an_empty_stream_is_not_as_expected(expected: int, engine: Engine) -> None:
    assert refusal(engine.connection, {CLOCK: expected}, (CLOCK, added(7))).actual == 0


def test_a_refusal_names_the_stream_and_both_versions(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, 3, expected=NO_STREAM)
    refused = refusal(engine.connection, {CLOCK: 2}, (CLOCK, added(7)))

    assert (refused.stream_id, refused.expected, refused.actual) == (CLOCK, 2, 3)


def lose_to_a_bare_insert(engine: Engine) -> WrongExpectedVersion:
    """Append to a stream whose next version is written past the function's locks."""
    other = engine.connect(autocommit=False)
    other.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES (%s, 'Added', 1, '{"amount": 9}', '{}', now())
        """,
        (CLOCK,),
    )
    with ThreadPoolExecutor() as threads:
        ours = threads.submit(
            refusal, engine.connection, {CLOCK: NO_STREAM}, (CLOCK, added(7))
        )
        wait_until(
            lambda: engine.is_waiting_for_a_lock(other),
            "it waits for a lock",
            seconds=10,
        )
        other.commit()
        return ours.result(timeout=10)


def test_a_writer_past_the_function_is_seen_by_the_constraint(engine: Engine) -> None:
    lose_to_a_bare_insert(engine)

    assert engine.amounts(CLOCK) == [9]


def test_the_constraints_refusal_names_the_stream(engine: Engine) -> None:
    assert lose_to_a_bare_insert(engine).stream_id == CLOCK


def test_the_constraints_refusal_names_both_versions(engine: Engine) -> None:
    refused = lose_to_a_bare_insert(engine)

    assert (refused.expected, refused.actual) == (NO_STREAM, 1)


def test_the_same_append_again_returns_the_first_positions(engine: Engine) -> None:
    events = [(CLOCK, added(5)), (LAMP, added(7)), (CLOCK, added(9))]
    expected = {CLOCK: NO_STREAM, LAMP: NO_STREAM}
    first = append(engine.connection, events, expected=expected)
    engine.append(CLOCK, 11, expected=2)

    assert append(engine.connection, events, expected=expected) == first


def test_the_same_append_again_writes_nothing(engine: Engine) -> None:
    event = (CLOCK, added(5))
    append(engine.connection, [event], expected={CLOCK: NO_STREAM})
    append(engine.connection, [event], expected={CLOCK: NO_STREAM})

    assert engine.amounts(CLOCK) == [5]


def test_the_same_append_again_passes_over_the_status_of_its_commands(
    engine: Engine,
) -> None:
    command_id = engine.accept(Add(counter_id="clock"))
    event = (CLOCK, added(1, command_id=command_id))
    done = [Completion(command_id=command_id, status="succeeded")]
    expected = {CLOCK: NO_STREAM}
    first = append_and_complete(
        engine.connection, [event], expected=expected, completing=done
    )

    again = append_and_complete(
        engine.connection, [event], expected=expected, completing=done
    )

    assert again == first


def test_other_events_at_the_same_version_are_refused(engine: Engine) -> None:
    append(engine.connection, [(CLOCK, added(5))], expected={CLOCK: NO_STREAM})

    assert refusal(engine.connection, {CLOCK: NO_STREAM}, (CLOCK, added(5))).actual == 1


def test_an_append_that_is_the_same_only_in_part_is_refused(engine: Engine) -> None:
    event = (CLOCK, added(5))
    append(engine.connection, [event], expected={CLOCK: NO_STREAM})

    refused = refusal(engine.connection, {CLOCK: NO_STREAM}, event, (CLOCK, added(7)))

    assert refused.actual == 1


def test_an_event_happens_when_it_is_appended(engine: Engine) -> None:
    before = now(engine.connection)
    engine.append(CLOCK, 1, expected=NO_STREAM)
    (event,) = engine.stream(CLOCK)

    assert before < event.occurred_at < now(engine.connection)


def test_an_import_knows_better_when_it_happened(engine: Engine) -> None:
    in_1996 = datetime(1996, 7, 4, tzinfo=UTC)
    append(
        engine.connection,
        [(CLOCK, added(1, occurred_at=in_1996))],
        expected={CLOCK: NO_STREAM},
    )

    assert engine.stream(CLOCK)[0].occurred_at == in_1996


def test_an_event_is_never_earlier_than_the_one_before_it(engine: Engine) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    append(
        engine.connection,
        [(CLOCK, added(1, occurred_at=tomorrow))],
        expected={CLOCK: NO_STREAM},
    )
    engine.append(CLOCK, 2, expected=1)

    assert [e.occurred_at for e in engine.stream(CLOCK)] == [tomorrow, tomorrow]


def test_the_append_tells_when_an_event_was_recorded(engine: Engine) -> None:
    before = now(engine.connection)
    in_1996 = datetime(1996, 7, 4, tzinfo=UTC)
    append(
        engine.connection,
        [(CLOCK, added(1, occurred_at=in_1996))],
        expected={CLOCK: NO_STREAM},
    )
    (recorded,) = recorded_at(engine, CLOCK)

    assert recorded is not None
    assert before < recorded < now(engine.connection)


def test_a_command_is_finished_in_the_transaction_of_its_events(
    engine: Engine,
) -> None:
    command_id = engine.accept(Add(counter_id="clock"))
    (done,) = append_and_complete(
        engine.connection,
        [(CLOCK, added(1, command_id=command_id))],
        expected={CLOCK: NO_STREAM},
        completing=[Completion(command_id=command_id, status="succeeded")],
    )
    entry = engine.entry(command_id)

    assert (entry.status, entry.position, entry.error, entry.finished_at) == (
        "succeeded",
        done.position,
        None,
        recorded_at(engine, CLOCK)[0],
    )


def test_a_rejected_command_keeps_the_rule_it_broke(engine: Engine) -> None:
    command_id = engine.accept(Add(counter_id="clock"))
    error = {"rule": "CounterFull", "message": "It counts to 1000.", "figures": {}}
    append_and_complete(
        engine.connection,
        [],
        expected={CLOCK: NO_STREAM},
        completing=[Completion(command_id=command_id, status="rejected", error=error)],
    )
    entry = engine.entry(command_id)

    assert (entry.status, entry.error) == ("rejected", error)


def test_a_command_is_finished_once(engine: Engine) -> None:
    command_id = engine.accept(Add(counter_id="clock"))
    done = [Completion(command_id=command_id, status="rejected")]
    append_and_complete(
        engine.connection, [], expected={CLOCK: NO_STREAM}, completing=done
    )

    with pytest.raises(CommandAlreadyFinished) as refused:
        append_and_complete(
            engine.connection,
            [(CLOCK, added(1))],
            expected={CLOCK: NO_STREAM},
            completing=done,
        )

    assert (refused.value.command_id, refused.value.status) == (command_id, "rejected")


def test_a_refused_append_finishes_no_command(engine: Engine) -> None:
    engine.append(CLOCK, 1, expected=NO_STREAM)
    command_id = engine.accept(Add(counter_id="clock"))
    with pytest.raises(WrongExpectedVersion):
        append_and_complete(
            engine.connection,
            [(CLOCK, added(1))],
            expected={CLOCK: NO_STREAM},
            completing=[Completion(command_id=command_id, status="succeeded")],
        )

    assert engine.entry(command_id).status == "accepted"


def test_an_append_that_is_rolled_back_by_its_caller_leaves_nothing(
    engine: Engine,
) -> None:
    with engine.connection.transaction(force_rollback=True):
        engine.append(CLOCK, 1, expected=NO_STREAM)

    assert engine.amounts(CLOCK) == []


def test_two_that_write_two_streams_in_opposite_order_do_not_deadlock(
    engine: Engine,
) -> None:
    def write(*streams: str) -> Callable[[psycopg.Connection[Any]], None]:
        def write_often(connection: psycopg.Connection[Any]) -> None:
            for _ in range(30):
                append(
                    connection,
                    [(stream, added(1)) for stream in streams],
                    expected=dict.fromkeys(streams, ANY_VERSION),
                )

        return write_often

    at_once(engine, write(CLOCK, LAMP), write(LAMP, CLOCK))

    assert len(engine.stream(CLOCK)) == len(engine.stream(LAMP)) == 60


def test_of_two_decisions_that_read_each_others_stream_one_holds(
    engine: Engine,
) -> None:
    def decide(own: str, other: str) -> Callable[[psycopg.Connection[Any]], bool]:
        def try_it(connection: psycopg.Connection[Any]) -> bool:
            try:
                append(
                    connection,
                    [(own, added(1))],
                    expected={own: NO_STREAM, other: NO_STREAM},
                )
            except WrongExpectedVersion:
                return False
            return True

        return try_it

    rounds = [
        at_once(
            engine,
            decide(f"{CLOCK}-{number}", f"{LAMP}-{number}"),
            decide(f"{LAMP}-{number}", f"{CLOCK}-{number}"),
        )
        for number in range(10)
    ]

    assert [sorted(one) for one in rounds] == [[False, True]] * 10


def test_of_many_who_write_the_same_version_one_is_first(engine: Engine) -> None:
    def write(connection: psycopg.Connection[Any]) -> bool:
        try:
            append(connection, [(CLOCK, added(1))], expected={CLOCK: NO_STREAM})
        except WrongExpectedVersion:
            return False
        return True

    assert sum(at_once(engine, *[write] * 8)) == 1


def test_who_expects_any_version_is_never_refused(engine: Engine) -> None:
    def write(connection: psycopg.Connection[Any]) -> None:
        for _ in range(20):
            append(connection, [(CLOCK, added(1))], expected={CLOCK: ANY_VERSION})

    at_once(engine, *[write] * 4)

    assert len(engine.stream(CLOCK)) == 80

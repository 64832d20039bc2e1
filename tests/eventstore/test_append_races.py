"""Each step of the append, where several are at it at the same moment."""

import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest

from eventstore import errors
from eventstore.journal.completion import Completion, append_and_complete
from eventstore.log.append import (
    ANY_VERSION,
    NO_STREAM,
    STREAM_EXISTS,
    append,
)
from eventstore.sql import source
from tests.support.claims import UniqueNames, claim
from tests.support.engine import Add, Engine, added, at_once
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

CLOCK = "counter-clock"
LAMP = "counter-lamp"

Work = Callable[[psycopg.Connection[Any]], Any]


@pytest.mark.parametrize("expected", [ANY_VERSION, STREAM_EXISTS])
def test_sixteen_who_expect_no_number_meet_no_conflict(
    expected: int, engine: Engine
) -> None:
    engine.append(CLOCK, 0, expected=NO_STREAM)

    def write(connection: psycopg.Connection[Any]) -> None:
        for _ in range(20):
            append(connection, [(CLOCK, added(1))], expected={CLOCK: expected})

    at_once(engine, *[write] * 16)

    assert [event.version for event in engine.stream(CLOCK)] == list(range(1, 322))


def test_of_many_who_write_the_same_streams_one_writes_all_of_them(
    engine: Engine,
) -> None:
    streams = [f"counter-{number}" for number in range(5)]

    def write(order: Sequence[str]) -> Work:
        def try_it(connection: psycopg.Connection[Any]) -> bool:
            try:
                append(
                    connection,
                    [(stream_id, added(1)) for stream_id in order],
                    expected=dict.fromkeys(order, NO_STREAM),
                )
            except errors.WrongExpectedVersion:
                return False
            return True

        return try_it

    won = at_once(engine, *[write(streams), write(streams[::-1])] * 4)

    assert sum(won) == 1
    assert [len(engine.stream(stream_id)) for stream_id in streams] == [1] * 5


def test_a_decision_holds_only_on_the_version_of_what_it_read(engine: Engine) -> None:
    """Who only checks a stream waits for who is writing it, and then does not hold."""
    writer = engine.connect(autocommit=False)
    decide_on_each_other(writer, LAMP, CLOCK)
    with ThreadPoolExecutor() as threads:
        decision = threads.submit(decide_on_each_other, engine.connection, CLOCK, LAMP)
        is_waiting(engine)
        writer.commit()
        with pytest.raises(errors.WrongExpectedVersion) as refused:
            decision.result(timeout=10)

    assert (refused.value.stream_id, refused.value.actual) == (LAMP, 1)


def decide_on_each_other(
    connection: psycopg.Connection[Any], own: str, other: str
) -> None:
    """Write to a stream because the other one has no events."""
    append(connection, [(own, added(1))], expected={own: NO_STREAM, other: NO_STREAM})


@contextmanager
def changed(engine: Engine, function: str, old: str, new: str) -> Iterator[None]:
    """Take a protection out of a function for a while."""
    right = source(function)
    assert old in right
    engine.connection.execute(right.replace(old, new).encode())
    try:
        yield
    finally:
        engine.connection.execute(right.encode())


def again_and_again(race: Callable[[], object]) -> None:
    """Run a race until it goes wrong, which it must once."""
    for _ in range(100):
        race()


def test_without_the_locks_both_decisions_would_hold(engine: Engine) -> None:
    """The negative control: nobody who checks waits for who writes."""
    writer = engine.connect(autocommit=False)
    locks = "IF to_lock.is_written THEN"
    with changed(engine, "append", locks, f"CONTINUE; {locks}"):
        decide_on_each_other(writer, LAMP, CLOCK)
        decide_on_each_other(engine.connection, CLOCK, LAMP)
        writer.commit()

    assert len(engine.stream(LAMP)) == len(engine.stream(CLOCK)) == 1


def is_waiting(engine: Engine) -> None:
    observer = engine.connect()
    wait_until(
        lambda: engine.is_waiting_for_a_lock(observer),
        "it waits for a lock",
        seconds=10,
    )


def finish(stream_id: str, command_ids: Sequence[UUID]) -> Work:
    """Return what finishes commands by an append to a stream, if nobody has yet."""

    def try_it(connection: psycopg.Connection[Any]) -> bool:
        try:
            append_and_complete(
                connection,
                [(stream_id, added(1))],
                expected={stream_id: ANY_VERSION},
                completing=[
                    Completion(command_id=command_id, status="succeeded")
                    for command_id in command_ids
                ],
            )
        except errors.CommandAlreadyFinished:
            return False
        return True

    return try_it


def finish_in_opposite_order(engine: Engine) -> list[bool]:
    """On streams of their own, so that only the commands are in each other's way."""
    ids = [engine.accept(Add(counter_id="clock")) for _ in range(50)]
    return at_once(engine, finish(CLOCK, ids), finish(LAMP, ids[::-1]))


def test_two_that_finish_commands_in_opposite_order_do_not_deadlock(
    engine: Engine,
) -> None:
    rounds = [finish_in_opposite_order(engine) for _ in range(10)]

    assert [sorted(one) for one in rounds] == [[False, True]] * 10


def test_without_the_order_of_commands_they_would(engine: Engine) -> None:
    """The negative control: commands are locked as they come."""
    order, as_they_come = "ORDER BY c.seq", "ORDER BY array_position(command_ids, c.id)"
    with (
        changed(engine, "append_and_complete", order, as_they_come),
        pytest.raises(psycopg.errors.DeadlockDetected),
    ):
        again_and_again(lambda: finish_in_opposite_order(engine))


def test_an_append_whose_answer_was_lost_is_repeated_with_the_first_answer(
    engine: Engine,
) -> None:
    """With all that an append can do: events, a claim, a command that it finishes."""
    command_id = engine.accept(Add(counter_id="clock"))
    events = [(CLOCK, added(1, command_id=command_id)), (LAMP, added(2))]

    def write(connection: psycopg.Connection[Any]) -> Any:
        return append_and_complete(
            connection,
            events,
            expected={CLOCK: NO_STREAM, LAMP: NO_STREAM},
            completing=[Completion(command_id=command_id, status="succeeded")],
            claims=[claim("Ann", CLOCK, command_id=command_id)],
        )

    lose_the_answer(engine, write)
    again = write(engine.connect())

    assert [tuple(place) for place in again] == [(1, CLOCK, 1), (2, LAMP, 1)]
    observer = engine.connect()
    assert observer.execute("SELECT count(*) FROM events").fetchone() == (2,)
    assert observer.execute("SELECT stream_id FROM unique_claims").fetchall() == [
        (CLOCK,)
    ]
    assert engine.statuses(command_id) == ["succeeded"]


def lose_the_answer(engine: Engine, write: Work) -> None:
    """Let a client go away while its append waits; PostgreSQL commits it later."""
    holder = engine.connect(autocommit=False)
    holder.execute(
        "SELECT pg_advisory_xact_lock(lock_key(1, hashtextextended(%s, 0)))", (CLOCK,)
    )
    with ThreadPoolExecutor() as threads:
        lost = threads.submit(write, engine.connection)
        is_waiting(engine)
        with socket.socket(fileno=engine.connection.fileno()) as line:
            line.shutdown(socket.SHUT_RDWR)
            line.detach()
        with pytest.raises(psycopg.OperationalError):
            lost.result(timeout=10)
    holder.commit()
    observer = engine.connect()
    wait_until(
        lambda: observer.execute("SELECT FROM events").fetchone() is not None,
        "it is committed",
        seconds=10,
    )


def claim_in(order: Sequence[str], stream_id: str) -> Work:
    """Return what claims and releases names again and again, in this order."""

    def often(connection: psycopg.Connection[Any]) -> None:
        for _ in range(30):
            for is_released in (False, True):
                names = (claim(n, stream_id, is_released=is_released) for n in order)
                with suppress(errors.AlreadyClaimed):
                    append(
                        connection,
                        [(stream_id, added(1))],
                        expected={stream_id: ANY_VERSION},
                        claims=[*names],
                    )

    return often


NAMES = [f"name {number}" for number in range(50)]


def test_two_that_claim_in_opposite_order_do_not_deadlock(engine: Engine) -> None:
    at_once(engine, claim_in(NAMES, CLOCK), claim_in(NAMES[::-1], LAMP))

    assert UniqueNames(engine).owners() == {}


def test_without_the_order_of_claims_they_would(engine: Engine) -> None:
    """The negative control: claims are taken as they come."""
    by_key = """(c.value ->> 'scope') COLLATE "C", (c.value ->> 'hash') COLLATE "C","""
    with (
        changed(engine, "claim", by_key, ""),
        pytest.raises(psycopg.errors.DeadlockDetected),
    ):
        again_and_again(
            lambda: at_once(engine, claim_in(NAMES, CLOCK), claim_in(NAMES[::-1], LAMP))
        )

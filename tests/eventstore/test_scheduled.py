"""Scheduled commands: nothing happens before their time, and they can be taken back."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from eventstore.errors import KeyReused
from eventstore.journal.drain import drain
from eventstore.journal.entries import count_waiting
from eventstore.journal.operator_actions import cancel
from eventstore.journal.runner import Runner
from eventstore.journal.take import find_waiting
from tests.support.engine import COUNTERS, Add, Engine, meanwhile
from tests.support.journal import kinds

CLOCK = "counter-clock"
TOMORROW = datetime.now(UTC) + timedelta(days=1)

add = Add(counter_id="clock")


def take_back(engine: Engine, command_id: UUID, **who: str) -> object:
    return cancel(engine.connection, command_id, by="alice", **who)


def come(engine: Engine, *command_ids: UUID) -> None:
    """Let the time of scheduled commands come."""
    engine.connection.execute(
        "UPDATE commands SET not_before = clock_timestamp() WHERE id = ANY (%s)",
        (list(command_ids),),
    )


def test_an_accepted_command_whose_time_has_not_come_is_scheduled(
    engine: Engine,
) -> None:
    scheduled, due = engine.accept(add, not_before=TOMORROW), engine.accept(add)

    assert engine.entry(scheduled).display_status == "scheduled"
    assert engine.entry(scheduled).status == "accepted"
    assert engine.entry(due).display_status == "accepted"


def test_a_scheduled_command_does_not_hold_up_the_others_of_its_stream(
    engine: Engine,
) -> None:
    scheduled = engine.accept(Add(counter_id="clock", amount=7), not_before=TOMORROW)
    later = engine.accept(add)
    engine.drain(later)
    come(engine, scheduled)
    engine.drain(scheduled)

    assert engine.amounts(CLOCK) == [1, 7]


def test_the_same_moment_on_another_clock_is_the_same_content(engine: Engine) -> None:
    elsewhere = TOMORROW.astimezone(timezone(timedelta(hours=9)))
    first = engine.accept(add, key="first", not_before=TOMORROW)

    assert engine.accept(add, key="first", not_before=elsewhere) == first


def test_a_key_does_not_serve_for_another_time(engine: Engine) -> None:
    engine.accept(add, key="first", not_before=TOMORROW)

    with pytest.raises(KeyReused):
        engine.accept(add, key="first", not_before=TOMORROW + timedelta(hours=1))


def test_what_is_scheduled_does_not_count_as_waiting(engine: Engine) -> None:
    engine.accept(add, not_before=TOMORROW)
    with engine.pool.connect() as connection:
        waiting = count_waiting(connection)

    assert (waiting.count, waiting.oldest, waiting.scheduled) == (0, None, 1)


def test_what_has_become_due_waits_since_then(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=TOMORROW)
    come(engine, command_id)
    with engine.pool.connect() as connection:
        waiting = count_waiting(connection)

    assert (waiting.count, waiting.scheduled) == (1, 0)
    assert waiting.oldest == engine.entry(command_id).not_before


def test_streams_with_something_due_are_found_among_those_without(
    engine: Engine,
) -> None:
    names = [f"c{n}" for n in range(6)]
    ids = [engine.accept(Add(counter_id=n), not_before=TOMORROW) for n in names]
    engine.accept(Add(counter_id="c4"))
    come(engine, ids[1], ids[3])
    found = find_waiting(engine.connection, patience=0, most=100)
    first = find_waiting(engine.connection, patience=0, most=2)
    rest = find_waiting(
        engine.connection, patience=0, most=2, after_stream=first[-1][0]
    )

    assert [stream for stream, _ in found] == ["counter-c1", "counter-c3", "counter-c4"]
    assert first + rest == found


def test_a_scheduled_command_is_taken_back(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=TOMORROW)

    assert take_back(engine, command_id, because="not needed") == (True, "cancelled")
    come(engine, command_id)
    engine.drain(command_id)
    assert engine.statuses(command_id) == ["cancelled"]
    assert engine.amounts(CLOCK) == []


def test_who_took_it_back_and_why_is_kept(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=TOMORROW)
    take_back(engine, command_id, because="not needed")
    (incident,) = engine.incidents(command_id)

    assert (incident.kind, incident.detail) == (
        "cancelled",
        {"by": "alice", "because": "not needed"},
    )


def test_taking_back_twice_is_done_once(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=TOMORROW)
    take_back(engine, command_id)

    assert take_back(engine, command_id) == (False, "cancelled")
    assert kinds(engine, command_id) == ["cancelled"]


def test_what_is_due_cannot_be_taken_back(engine: Engine) -> None:
    at_once = engine.accept(add)
    command_id = engine.accept(add, not_before=TOMORROW)
    come(engine, command_id)

    assert take_back(engine, at_once) == (False, "accepted")
    assert take_back(engine, command_id) == (False, "accepted")


def test_what_has_happened_cannot_be_taken_back(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)

    assert take_back(engine, command_id) == (False, "succeeded")


def test_somebody_elses_cannot_be_taken_back(engine: Engine) -> None:
    command_id = engine.accept(add, not_before=TOMORROW, principal="bob")

    assert take_back(engine, command_id, principal="alice") is None
    assert take_back(engine, uuid4()) is None
    assert engine.statuses(command_id) == ["accepted"]


def test_a_command_is_never_both_run_and_taken_back(engine: Engine) -> None:
    """A drain and somebody who takes back meet, again and again, as the time comes."""
    rounds, ended = 60, []
    chance = random.Random(7)
    barrier = threading.Barrier(2)
    ids = [
        engine.accept(Add(counter_id=f"race{n}"), not_before=TOMORROW)
        for n in range(rounds)
    ]
    runner, client = engine.connect(), engine.connect()

    def run() -> None:
        for command_id in ids:
            barrier.wait(10)
            while count_accepted(runner, command_id):
                drain_on(runner, command_id)

    def take_back_all() -> None:
        for command_id in ids:
            # The longest leaves a busy machine time to take back at all.
            client.execute(
                "UPDATE commands SET not_before = clock_timestamp()"
                " + make_interval(secs => %s) WHERE id = %s",
                (chance.choice((0.002, 0.005, 0.03)), command_id),
            )
            barrier.wait(10)
            time.sleep(chance.uniform(0, 0.008))
            acted = cancel(client, command_id, by="alice")
            assert acted is not None
            ended.append(acted.was_done)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(run), threads.submit(take_back_all)]:
            done.result(30)

    effects = [len(engine.stream(f"counter-race{n}")) for n in range(rounds)]
    assert engine.statuses(*ids) == [
        "cancelled" if was_taken_back else "succeeded" for was_taken_back in ended
    ]
    assert effects == [0 if was_taken_back else 1 for was_taken_back in ended]
    assert set(ended) == {True, False}


def count_accepted(connection: psycopg.Connection[Any], command_id: UUID) -> int:
    return connection.execute(
        "SELECT FROM commands WHERE id = %s AND status = 'accepted'", (command_id,)
    ).rowcount


def drain_on(connection: psycopg.Connection[Any], command_id: UUID) -> None:
    drain(connection, [command_id], Runner(deciders=COUNTERS, name="worker"))


def test_one_that_is_taken_back_while_it_is_decided_does_not_happen(
    engine: Engine,
) -> None:
    """As where the database's clock was set back in between: the row's lock decides."""
    somebody = engine.connect()

    def take_back_meanwhile(command: Add) -> None:
        if command.amount == 7:
            somebody.execute(
                "UPDATE commands SET not_before = %s WHERE id = %s",
                (TOMORROW, command_id),
            )
            cancel(somebody, command_id, by="alice")

    command_id = engine.accept(Add(counter_id="clock", amount=7))
    behind = engine.accept(add)
    engine.drain(command_id, deciders=meanwhile(take_back_meanwhile))

    assert engine.statuses(command_id, behind) == ["cancelled", "succeeded"]
    assert engine.amounts(CLOCK) == [1]

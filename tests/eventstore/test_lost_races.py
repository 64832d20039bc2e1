"""Lost races: load again, decide again, and after too many of them rest."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from eventstore.aggregates.decider import Deciders
from eventstore.journal.finishing import DrainResult
from eventstore.journal.runner import Limits
from eventstore.log.append import ANY_VERSION, append
from tests.support.engine import (
    Add,
    AddIfZero,
    Engine,
    added,
    meanwhile,
)
from tests.support.journal import kinds, next_try
from tests.support.waiting import wait_until

CLOCK = "counter-clock"

add = Add(counter_id="clock")


def test_a_stream_that_was_only_read_may_not_change_meanwhile(engine: Engine) -> None:
    command_id = engine.accept(AddIfZero(counter_id="clock", other="lamp"))
    engine.drain(command_id, deciders=once(engine, "counter-lamp"))

    assert engine.statuses(command_id) == ["rejected"]


def interfere(engine: Engine, stream_id: str) -> Callable[[Any], None]:
    """Return what writes to a stream while a command is decided."""
    other = engine.connect()

    def write(_: Any) -> None:
        append(other, [(stream_id, added(100))], expected={stream_id: ANY_VERSION})

    return write


def once(engine: Engine, stream_id: str) -> Deciders:
    """Return deciders that somebody is faster than, the first time."""
    writes = iter([interfere(engine, stream_id)])

    def write_once(command: Any) -> None:
        for write in writes:
            write(command)

    return meanwhile(write_once)


def always(engine: Engine) -> Deciders:
    """Return deciders that somebody is always faster than."""
    return meanwhile(interfere(engine, CLOCK))


def lose_twice(engine: Engine) -> tuple[UUID, DrainResult]:
    """Return a command that met with conflicts until the drain gave up."""
    command_id = engine.accept(add)
    drained = engine.drain(
        command_id, deciders=always(engine), limits=Limits(max_conflict_retries=2)
    )
    return command_id, drained


def test_a_command_that_lost_a_race_is_decided_again(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id, deciders=once(engine, CLOCK))

    assert engine.amounts(CLOCK) == [100, 1]


def test_a_race_that_was_lost_is_counted(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id, deciders=once(engine, CLOCK))

    assert (engine.entry(command_id).conflicts, kinds(engine, command_id)) == (
        1,
        ["conflict"],
    )


def test_the_readers_are_told_after_a_lost_race_too(engine: Engine) -> None:
    """The one that is lost here is answered after everything was sent."""
    faster, observer = engine.connect(autocommit=False), engine.connect()
    command_id = engine.accept(add)

    def commit_when_we_wait() -> None:
        wait_until(
            lambda: engine.is_waiting_for_a_lock(observer),
            "it waits for a lock",
            seconds=10,
        )
        faster.commit()

    with ThreadPoolExecutor() as threads:

        def write_once(_: Any) -> None:
            if engine.entry(command_id).conflicts == 0:
                append(faster, [(CLOCK, added(100))], expected={CLOCK: 0})
                threads.submit(commit_when_we_wait)

        drained = engine.drain(command_id, deciders=meanwhile(write_once))

    assert drained.has_signalled


def test_after_too_many_lost_races_the_command_is_left_waiting(
    engine: Engine,
) -> None:
    command_id, drained = lose_twice(engine)

    assert (drained.finished, drained.left, engine.statuses(command_id)) == (
        0,
        [],
        ["accepted"],
    )


def test_after_too_many_lost_races_a_command_rests(engine: Engine) -> None:
    command_id, _ = lose_twice(engine)
    moment = next_try(engine, command_id)

    assert moment is not None
    assert engine.incidents(command_id)[-1].at < moment


def test_those_behind_a_command_that_rests_wait_for_it(engine: Engine) -> None:
    resting, _ = lose_twice(engine)
    engine.connection.execute(
        "UPDATE commands SET attempts = 20, next_try_at = now() + '50 seconds'"
    )
    behind = engine.accept(add)
    engine.drain(behind)

    assert engine.statuses(resting, behind) == ["accepted", "accepted"]


def test_a_command_that_has_rested_goes_before_those_behind_it(
    engine: Engine,
) -> None:
    lose_twice(engine)
    engine.connection.execute("UPDATE commands SET next_try_at = now()")
    behind = engine.accept(Add(counter_id="clock", amount=7))
    engine.drain(behind)

    assert engine.amounts(CLOCK) == [100, 100, 1, 7]


def test_giving_up_lets_go_of_the_stream(engine: Engine) -> None:
    command_id, _ = lose_twice(engine)
    engine.connection.execute("UPDATE commands SET next_try_at = now()")

    assert engine.take(command_id, engine.connect()) is not None


def test_a_command_that_was_finished_meanwhile_is_not_finished_twice(
    engine: Engine,
) -> None:
    other = engine.connect()

    def cancel(_: Any) -> None:
        other.execute("UPDATE commands SET status = 'cancelled' WHERE id = %s", [first])

    first = engine.accept(add)
    second = engine.accept(add)
    engine.drain(first, deciders=meanwhile(cancel))

    assert (engine.statuses(first, second), engine.amounts(CLOCK)) == (
        ["cancelled", "succeeded"],
        [1],
    )

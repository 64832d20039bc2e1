"""Draining many streams at once: one append for all, and each on its own where not."""

from uuid import UUID

import pytest

from eventstore.journal.drain import drain as drain_journal
from eventstore.journal.finishing import DrainResult
from eventstore.journal.runner import FinishedCommand, Limits, Runner
from tests.support.engine import (
    COUNTERS,
    FULL,
    Add,
    AddIfZero,
    Divide,
    Engine,
    meanwhile,
)

STREAMS = [f"c{number}" for number in range(5)]


@pytest.fixture
def reported() -> list[FinishedCommand]:
    return []


def drain(
    engine: Engine,
    *command_ids: UUID,
    deciders: object = COUNTERS,
    reported: list[FinishedCommand] | None = None,
    limits: Limits | None = None,
) -> DrainResult:
    runner = Runner(
        deciders=deciders,  # type: ignore[arg-type]
        name="worker",
        limits=limits or Limits(),
        report=(reported if reported is not None else []).append,
    )
    done = drain_journal(engine.connection, command_ids, runner)
    assert held(engine) == 0
    return done


def held(engine: Engine) -> int:
    """Return how many locks our session still holds."""
    ((count,),) = engine.connection.execute(
        "SELECT count(*) FROM pg_locks"
        " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    ).fetchall()
    return int(count)


def accept_one_each(engine: Engine) -> list[UUID]:
    return [engine.accept(Add(counter_id=name, amount=5)) for name in STREAMS]


def test_many_streams_go_by_one_append(
    engine: Engine, reported: list[FinishedCommand]
) -> None:
    commands = accept_one_each(engine)
    done = drain(engine, *commands, reported=reported)

    assert done.finished == 5
    assert done.left == []
    assert engine.statuses(*commands) == ["succeeded"] * 5
    ((transactions,),) = engine.connection.execute(
        "SELECT count(DISTINCT xmin::text) FROM events"
    ).fetchall()
    assert transactions == 1
    assert [one.stream_id for one in reported] == [f"counter-{s}" for s in STREAMS]


def test_the_commands_of_each_stream_take_effect_in_their_order(
    engine: Engine,
) -> None:
    firsts = accept_one_each(engine)
    for amount in (6, 7):
        for name in STREAMS:
            engine.accept(Add(counter_id=name, amount=amount))
    drain(engine, *firsts)

    ((runners,),) = engine.connection.execute(
        "SELECT array_agg(DISTINCT ran_by) FROM commands"
    ).fetchall()
    assert runners == ["worker"]
    assert [engine.amounts(f"counter-{name}") for name in STREAMS] == [[5, 6, 7]] * 5


def test_two_commands_of_one_stream_take_it_once(engine: Engine) -> None:
    first = engine.accept(Add(counter_id="c0"))
    second = engine.accept(Add(counter_id="c0"))
    other = engine.accept(Add(counter_id="c1"))
    drain(engine, first, second, other)

    assert engine.statuses(first, second, other) == ["succeeded"] * 3


def test_a_command_that_is_refused_keeps_no_other_stream_waiting(
    engine: Engine,
) -> None:
    commands = accept_one_each(engine)
    refused = engine.accept(Add(counter_id="c5", amount=FULL + 1))
    failed = engine.accept(Divide(counter_id="c6"))
    nothing = engine.accept(Add(counter_id="c7", amount=0))
    drain(engine, *commands, refused, failed, nothing)

    assert engine.statuses(*commands) == ["succeeded"] * 5
    assert engine.statuses(refused, failed, nothing) == [
        "rejected",
        "failed",
        "succeeded",
    ]


def test_one_conflict_is_one_streams_alone(engine: Engine) -> None:
    commands = accept_one_each(engine)
    somebody = Engine(engine.url, engine.connect(), engine.pool)
    written: list[int] = []

    def write_once(command: object) -> None:
        if not written and command == Add(counter_id="c2", amount=5):
            written.extend(somebody.append("counter-c2", 1, expected=0))

    done = drain(engine, *commands, deciders=meanwhile(write_once))
    drain(engine, *done.left, *commands)

    assert engine.statuses(*commands) == ["succeeded"] * 5
    assert engine.amounts("counter-c2") == [1, 5]
    assert [engine.entry(command).conflicts for command in commands] == [0, 0, 1, 0, 0]


def test_a_stream_that_reads_another_of_them_is_decided_after_it(
    engine: Engine,
) -> None:
    commands = accept_one_each(engine)
    reader = engine.accept(AddIfZero(counter_id="c5", other="c0"))
    drain(engine, *commands, reader)

    assert engine.statuses(*commands, reader) == ["succeeded"] * 5 + ["rejected"]


def test_a_stream_whose_runner_died_is_left_to_be_taken_alone(engine: Engine) -> None:
    commands = accept_one_each(engine)
    engine.take_and_die(commands[2])
    done = drain(engine, *commands)

    assert done.left == [commands[2]]
    assert engine.statuses(*commands) == [
        "succeeded",
        "succeeded",
        "accepted",
        "succeeded",
        "succeeded",
    ]
    assert engine.incidents(commands[2]) == []


def test_a_stream_that_somebody_holds_is_left_to_them(engine: Engine) -> None:
    commands = accept_one_each(engine)
    somebody = engine.connect()
    engine.take(commands[0], somebody)
    done = drain(engine, *commands)

    assert done.left == [commands[0]]
    assert engine.statuses(*commands) == ["accepted"] + ["succeeded"] * 4


def test_a_long_stream_is_told_to_go_on(engine: Engine) -> None:
    first, other = (engine.accept(Add(counter_id=name)) for name in ("c0", "c1"))
    for _ in range(29):
        engine.accept(Add(counter_id="c0"))
    done = drain(engine, first, other)

    assert done.finished == 21
    assert len(done.left) == 1
    assert len(engine.amounts("counter-c0")) == 20


def test_what_interrupts_the_runner_rises(engine: Engine) -> None:
    class TimeLimit(Exception):
        pass

    def interrupt(_: object) -> None:
        raise TimeLimit

    commands = accept_one_each(engine)
    limits = Limits(interruptions=(TimeLimit,))
    with pytest.raises(TimeLimit):
        drain(engine, *commands, deciders=meanwhile(interrupt), limits=limits)

    assert engine.statuses(*commands) == ["accepted"] * 5


def test_whom_there_was_no_time_for_is_given_back_in_good_order(
    engine: Engine,
) -> None:
    commands = [engine.accept(Divide(counter_id=name)) for name in STREAMS]
    done = drain(engine, *commands, limits=Limits(seconds_of_draining=0))

    assert done.left == commands
    assert {i.kind for c in commands for i in engine.incidents(c)} == {"postponed"}
    drain(engine, *commands)
    assert engine.statuses(*commands) == ["failed"] * 5

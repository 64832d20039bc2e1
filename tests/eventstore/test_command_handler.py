"""One command at once, without the journal."""

import msgspec
import pytest

from eventstore.aggregates.command_handler import Outcome, handle
from eventstore.errors import WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, append
from tests.support.engine import (
    COUNTERS,
    FULL,
    Add,
    AddIfZero,
    CounterCommand,
    Divide,
    Engine,
    added,
    meanwhile,
)

CLOCK = "counter-clock"


def outcome(engine: Engine, command: CounterCommand) -> Outcome:
    return handle(
        engine.connection, command, stream_id=CLOCK, deciders=COUNTERS, actor="alice"
    )


def test_a_command_is_handled_and_says_that_it_worked(engine: Engine) -> None:
    handled = outcome(engine, Add(counter_id="clock", amount=5))

    assert handled == Outcome(status="succeeded")


def test_a_commands_events_are_in_its_stream(engine: Engine) -> None:
    outcome(engine, Add(counter_id="clock", amount=5))
    outcome(engine, Add(counter_id="clock", amount=7))

    assert engine.amounts(CLOCK) == [5, 7]


def test_a_command_that_a_rule_refuses_writes_nothing(engine: Engine) -> None:
    handled = outcome(engine, Add(counter_id="clock", amount=FULL + 1))

    assert (handled.status, engine.amounts(CLOCK)) == ("rejected", [])


def test_a_command_may_read_another_stream(engine: Engine) -> None:
    engine.append("counter-lamp", 5, expected=0)

    assert outcome(engine, AddIfZero(counter_id="clock", other="lamp")).status == (
        "rejected"
    )


def test_an_input_that_is_no_command_is_told_to_the_caller(engine: Engine) -> None:
    wrong = Add(counter_id="clock", amount="seven")  # type: ignore[arg-type]

    with pytest.raises(msgspec.ValidationError):
        outcome(engine, wrong)


def test_a_bug_is_told_to_the_caller(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError):
        outcome(engine, Divide(counter_id="clock"))


def test_a_lost_race_is_told_to_the_caller(engine: Engine) -> None:
    other = engine.connect()
    faster = meanwhile(
        lambda _: append(other, [(CLOCK, added(9))], expected={CLOCK: ANY_VERSION})
    )

    with pytest.raises(WrongExpectedVersion):
        handle(
            engine.connection,
            Add(counter_id="clock"),
            stream_id=CLOCK,
            deciders=faster,
            actor="alice",
        )

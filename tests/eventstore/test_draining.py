"""Draining: what waits in a stream takes effect once, in order."""

from datetime import datetime, timedelta

from eventstore.journal.runner import Limits
from eventstore.signals import CATCH_UP, clear_signal
from tests.support.engine import (
    FULL,
    Add,
    AddIfZero,
    Engine,
    meanwhile,
)
from tests.support.journal import appends, error_of

CLOCK = "counter-clock"

add = Add(counter_id="clock")


def test_commands_take_effect_in_the_order_they_were_accepted(engine: Engine) -> None:
    ids = [engine.accept(Add(counter_id="clock", amount=n)) for n in range(1, 21)]
    engine.drain(ids[7])

    assert engine.amounts(CLOCK) == list(range(1, 21))


def test_a_drain_tells_how_many_commands_it_finished(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(3)]

    assert engine.drain(ids[0]).finished == 3


def test_many_commands_are_finished_by_one_append(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(50)]
    engine.drain(ids[0])

    assert appends(engine, ids) == 1


def test_every_command_of_a_take_tells_who_ran_it(engine: Engine) -> None:
    commands = [engine.accept(Add(counter_id="clock")) for _ in range(3)]
    engine.drain(commands[0])

    assert [engine.entry(command).ran_by for command in commands] == ["worker"] * 3


def test_more_than_a_take_may_hold_takes_several_appends(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(5)]
    engine.drain(ids[0], limits=Limits(commands=2))

    assert appends(engine, ids) == 3


def test_a_drain_whose_time_is_up_tells_what_is_due(engine: Engine) -> None:
    command_id = engine.accept(add)

    drained = engine.drain(command_id, limits=Limits(seconds_of_draining=0))

    assert (drained.finished, drained.left) == (0, [command_id])


def test_a_finished_command_is_not_run_again(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)
    engine.drain(command_id)

    assert engine.amounts(CLOCK) == [1]


def test_a_stream_that_somebody_holds_is_left_to_them(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take(command_id, engine.connect())

    assert engine.drain(command_id).finished == 0


def test_a_command_that_comes_while_we_drain_is_run_too(engine: Engine) -> None:
    late = Add(counter_id="clock", amount=7)
    first = engine.accept(add)
    engine.drain(first, deciders=meanwhile(lambda _: engine.accept(late, key="late")))

    assert engine.amounts(CLOCK) == [1, 7]


def test_a_scheduled_command_waits_for_its_time(engine: Engine) -> None:
    tomorrow = datetime.now().astimezone() + timedelta(days=1)
    command_id = engine.accept(add, not_before=tomorrow)
    engine.drain(command_id)

    assert engine.statuses(command_id) == ["accepted"]


def test_each_command_is_decided_on_the_state_that_those_before_it_leave(
    engine: Engine,
) -> None:
    ids = [engine.accept(Add(counter_id="clock", amount=FULL)) for _ in range(2)]
    engine.drain(ids[0])

    assert engine.statuses(*ids) == ["succeeded", "rejected"]


def test_events_tell_which_command_caused_them(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)
    (event,) = engine.stream(CLOCK)

    assert f'"causation_id": "{command_id}"' in event.metadata


def test_a_refused_command_among_fifty_affects_itself_alone(engine: Engine) -> None:
    commands = [add] * 50
    commands[20] = Add(counter_id="clock", amount=FULL + 1)
    ids = [engine.accept(command) for command in commands]
    engine.drain(ids[0])

    expected = ["succeeded"] * 50
    expected[20] = "rejected"
    assert engine.statuses(*ids) == expected


def test_a_refused_command_tells_the_rule_and_its_figures(engine: Engine) -> None:
    command_id = engine.accept(Add(counter_id="clock", amount=FULL + 1))
    engine.drain(command_id)

    assert error_of(engine, command_id) == {
        "rule": "CounterFull",
        "message": "It counts to 1000, and is at 0.",
        "figures": {"total": 0},
    }


def test_an_expected_version_counts_the_commands_before_it(engine: Engine) -> None:
    ids = [engine.accept(add, expected_version=n) for n in range(3)]
    engine.drain(ids[0])

    assert engine.statuses(*ids) == ["succeeded"] * 3


def test_a_command_that_expects_another_version_is_refused(engine: Engine) -> None:
    ids = [engine.accept(add), engine.accept(add, expected_version=0)]
    engine.drain(ids[0])

    assert error_of(engine, ids[1]) == {
        "rule": "StaleVersion",
        "message": "It is at version 1, not 0.",
        "figures": {"expected": 0, "actual": 1},
    }


def test_a_commands_position_is_that_of_its_last_event(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(3)]
    engine.drain(ids[0])

    assert [engine.entry(i).position for i in ids] == [1, 2, 3]


def test_a_command_without_events_has_the_position_it_was_decided_at(
    engine: Engine,
) -> None:
    engine.append(CLOCK, 5, 7, expected=0)
    command_id = engine.accept(Add(counter_id="clock", amount=0))
    engine.drain(command_id)

    assert engine.entry(command_id).position == 2


def test_a_command_without_events_has_a_position_in_its_own_stream(
    engine: Engine,
) -> None:
    """Whoever waits for this position sees what the command was decided on."""
    engine.append("counter-lamp", 0, expected=0)
    engine.append(CLOCK, 5, expected=0)
    command_id = engine.accept(AddIfZero(counter_id="clock", other="lamp", amount=0))
    engine.drain(command_id)

    assert engine.entry(command_id).position == 2


def test_a_command_without_events_is_not_before_those_drained_with_it(
    engine: Engine,
) -> None:
    """Whoever waits for its position sees the event that left it nothing to do."""
    ids = [engine.accept(add), engine.accept(Add(counter_id="clock", amount=0))]
    engine.drain(ids[0])

    assert [engine.entry(i).position for i in ids] == [1, 1]


def test_a_command_is_decided_on_the_other_streams_it_names(engine: Engine) -> None:
    engine.append("counter-lamp", 5, expected=0)
    command_id = engine.accept(AddIfZero(counter_id="clock", other="lamp"))
    engine.drain(command_id)

    assert engine.statuses(command_id) == ["rejected"]


def test_the_readers_are_told(engine: Engine) -> None:
    assert engine.drain(engine.accept(add)).has_signalled


def test_the_readers_are_told_once_until_they_look(engine: Engine) -> None:
    engine.drain(engine.accept(add))

    assert not engine.drain(engine.accept(add)).has_signalled


def test_the_readers_are_told_again_when_they_have_looked(engine: Engine) -> None:
    engine.drain(engine.accept(add))
    clear_signal(engine.connection, CATCH_UP)

    assert engine.drain(engine.accept(add)).has_signalled

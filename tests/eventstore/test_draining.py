"""Draining: all that waits in a stream takes effect once, in its order."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from eventstore.decider import Decider, Deciders
from eventstore.journal.drain import Drained
from eventstore.journal.limits import Limits
from eventstore.journal.take import forget_marks
from eventstore.log.append import ANY_VERSION, append
from eventstore.subscriptions.signals import CATCH_UP, clear_signal
from tests.support.engine import (
    COUNTERS,
    FULL,
    Add,
    Added,
    AddIfZero,
    Counter,
    Divide,
    Engine,
    added,
    counters,
    meanwhile,
    wait_until,
)

CLOCK = "counter-clock"

add = Add(counter_id="clock")


def appends(engine: Engine, ids: Sequence[UUID]) -> int:
    """Return how many appends finished these commands: each has its moment."""
    return len({engine.entry(command_id).finished_at for command_id in ids})


def error_of(engine: Engine, command_id: UUID) -> dict[str, Any]:
    error = engine.entry(command_id).error
    assert error is not None
    return error


def next_try(engine: Engine, command_id: UUID) -> datetime | None:
    ((moment,),) = engine.connection.execute(
        "SELECT next_try_at FROM commands WHERE id = %s", (command_id,)
    ).fetchall()
    assert moment is None or isinstance(moment, datetime)
    return moment


def kinds(engine: Engine, command_id: UUID) -> list[str]:
    return [incident.kind for incident in engine.incidents(command_id)]


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


def test_more_than_a_take_may_hold_takes_several_appends(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(5)]
    engine.drain(ids[0], limits=Limits(commands=2))

    assert appends(engine, ids) == 3


def test_a_drain_whose_time_is_up_tells_what_is_due(engine: Engine) -> None:
    command_id = engine.accept(add)

    drained = engine.drain(command_id, limits=Limits(seconds_of_draining=0))

    assert (drained.finished, drained.next_due) == (0, command_id)


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


def test_a_bug_fails_its_own_command_alone(engine: Engine) -> None:
    commands = [add, Divide(counter_id="clock"), add]
    ids = [engine.accept(command) for command in commands]
    engine.drain(ids[0])

    assert engine.statuses(*ids) == ["succeeded", "failed", "succeeded"]


def test_a_bug_in_what_a_command_reads_fails_its_own_command_alone(
    engine: Engine,
) -> None:
    def reads(command: Any) -> dict[str, str]:
        if isinstance(command, Divide):
            raise ZeroDivisionError
        return {}

    deciders = Deciders([replace(COUNTERS.all[0], reads=reads)])
    commands = [add, Divide(counter_id="clock"), add]
    ids = [engine.accept(command) for command in commands]
    engine.drain(ids[0], deciders=deciders)

    assert engine.statuses(*ids) == ["succeeded", "failed", "succeeded"]


def test_events_that_the_database_refuses_fail_their_own_command_alone(
    engine: Engine,
) -> None:
    def decide(_: Counter, command: Add) -> list[Added]:
        return [Added(amount=1, note="\0" if command.note == "NUL" else "")]

    commands = [add, Add(counter_id="clock", note="NUL"), add]
    ids = [engine.accept(command) for command in commands]
    engine.drain(ids[0], deciders=counters(decide))

    assert engine.statuses(*ids) == ["succeeded", "failed", "succeeded"]


def test_a_bug_is_told_without_its_traceback(engine: Engine) -> None:
    command_id = engine.accept(Divide(counter_id="clock"))
    engine.drain(command_id)

    assert error_of(engine, command_id) == {
        "error": "ZeroDivisionError",
        "message": "of clock",
    }


def test_a_bugs_traceback_is_kept_among_the_incidents(engine: Engine) -> None:
    command_id = engine.accept(Divide(counter_id="clock"))
    engine.drain(command_id)
    (incident,) = engine.incidents(command_id)

    assert "raise ZeroDivisionError" in incident.detail["traceback"]


def test_a_command_that_cannot_be_parsed_is_rejected(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.connection.execute("""UPDATE commands SET data = '{"amount": "seven"}'""")
    engine.drain(command_id)

    assert error_of(engine, command_id)["rule"] == "ValidationError"


def test_a_command_that_a_newer_release_accepted_waits_for_one(
    engine: Engine,
) -> None:
    command_id = engine.accept(add)
    engine.connection.execute("UPDATE commands SET type = 'Subtract'")
    engine.drain(command_id)

    assert (engine.statuses(command_id), kinds(engine, command_id)) == (
        ["accepted"],
        ["error"],
    )


def test_a_stream_whose_history_breaks_a_rule_of_ours_waits(engine: Engine) -> None:
    """A bug in evolve is no fault of who asks, however often it is tried."""
    engine.append(CLOCK, 1, expected=0)
    command_id = engine.accept(add)
    for _ in range(7):
        engine.drain(command_id, deciders=Deciders([with_broken_evolve()]))
        engine.connection.execute("UPDATE commands SET next_try_at = NULL")

    assert engine.statuses(command_id) == ["accepted"]
    assert set(kinds(engine, command_id)) == {"error"}


def with_broken_evolve() -> Decider:
    def break_down(counter: Counter, event: Added) -> Counter:
        raise ZeroDivisionError

    return replace(COUNTERS.all[0], evolve=break_down)


def test_one_that_cannot_be_decided_yet_does_not_hold_up_those_before_it(
    engine: Engine,
) -> None:
    healthy = engine.accept(add)
    engine.accept(add)
    engine.connection.execute(
        "UPDATE commands SET type = 'Subtract' WHERE id <> %s", (healthy,)
    )
    engine.drain(healthy)

    assert engine.statuses(healthy) == ["succeeded"]


def test_a_missing_function_is_no_command_s_fault(engine: Engine) -> None:
    """As between a migration and the workers that it runs beside."""
    command_id = engine.accept(add)
    rename = "ALTER {} public.{} RENAME TO {}"
    engine.connection.execute(rename.format("PROCEDURE", "finish", "finish_later"))
    try:
        for _ in range(7):
            engine.drain(command_id)
            engine.connection.execute("UPDATE commands SET next_try_at = NULL")
    finally:
        engine.connection.execute(rename.format("PROCEDURE", "finish_later", "finish"))
    assert engine.statuses(command_id) == ["accepted"]
    engine.drain(command_id)

    assert engine.statuses(command_id) == ["succeeded"]


def test_the_runner_s_time_limit_is_not_the_fault_of_the_command_it_meets(
    engine: Engine,
) -> None:
    def out_of_time(_: Any) -> None:
        raise TimeoutError

    command_id = engine.accept(add)
    with pytest.raises(TimeoutError):
        engine.drain(
            command_id,
            deciders=meanwhile(out_of_time),
            limits=Limits(interruptions=(TimeoutError,)),
        )

    assert engine.statuses(command_id) == ["accepted"]


def test_a_time_limit_that_meets_a_command_as_it_is_read_is_no_fault_of_it(
    engine: Engine,
) -> None:
    def out_of_time(_: type, __: Any) -> None:
        raise TimeoutError

    command_id = engine.accept(add)
    slow = replace(COUNTERS.all[0], read_command=out_of_time)
    with pytest.raises(TimeoutError):
        engine.drain(
            command_id,
            deciders=Deciders([slow]),
            limits=Limits(interruptions=(TimeoutError,)),
        )

    assert engine.statuses(command_id) == ["accepted"]


def test_what_could_not_even_be_taken_rests(engine: Engine) -> None:
    command_id = engine.accept(add)
    forget_marks(engine.connection, "worker", command_id, {"error": "LockNotAvailable"})

    assert kinds(engine, command_id) == ["interrupted"]
    assert engine.take(command_id) is not None
    assert engine.drain(command_id).finished == 0


def test_an_error_of_the_database_is_kept_without_the_values_in_its_words(
    engine: Engine,
) -> None:
    def ask(_: Any) -> None:
        engine.connection.execute("SELECT 'alice@example.com'::int")

    command_id = engine.accept(add)
    engine.drain(command_id, deciders=meanwhile(ask))

    assert engine.statuses(command_id) == ["failed"]
    assert "alice" not in str(engine.entry(command_id).error)
    assert "alice" not in str(engine.incidents(command_id)[0].detail["message"])


def test_a_command_that_uses_up_the_runner_s_time_fails(engine: Engine) -> None:
    def out_of_time(_: Any) -> None:
        raise TimeoutError

    command_id = engine.accept(add)
    engine.drain(
        command_id,
        deciders=meanwhile(out_of_time),
        limits=Limits(interruptions=(TimeoutError,), seconds_of_one_command=0),
    )

    assert engine.statuses(command_id) == ["failed"]


def test_an_event_that_this_code_cannot_read_lets_its_stream_wait(
    engine: Engine,
) -> None:
    engine.append(CLOCK, 1, expected=0)
    command_id = engine.accept(add)
    engine.drain(command_id, deciders=Deciders([without_events()]))

    assert (engine.statuses(command_id), kinds(engine, command_id)) == (
        ["accepted"],
        ["error"],
    )


def without_events() -> Any:
    """Return the decider of an older release, which has no class for an event."""
    counter = COUNTERS.all[0]
    return replace(counter, events=type(counter.events)([]))


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


def lose_twice(engine: Engine) -> tuple[UUID, Drained]:
    """Return a command that met with conflicts until the drain gave up."""
    command_id = engine.accept(add)
    drained = engine.drain(
        command_id, deciders=always(engine), limits=Limits(conflicts=2)
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
        wait_until(lambda: engine.is_waiting_for_a_lock(observer))
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

    assert (drained.finished, drained.next_due, engine.statuses(command_id)) == (
        0,
        None,
        ["accepted"],
    )


def test_after_too_many_lost_races_a_command_rests(engine: Engine) -> None:
    command_id, _ = lose_twice(engine)
    moment = next_try(engine, command_id)

    assert moment is not None
    assert engine.incidents(command_id)[-1].at < moment


def test_those_behind_a_command_that_rests_wait_for_it(engine: Engine) -> None:
    resting, _ = lose_twice(engine)
    engine.connection.execute("UPDATE commands SET next_try_at = now() + '1 hour'")
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


def test_a_mark_that_was_left_behind_counts_as_a_death(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take_and_die(command_id)
    engine.drain(command_id)

    assert kinds(engine, command_id) == ["runner_died"]


def test_a_command_whose_runner_died_is_run_again(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take_and_die(command_id)
    engine.drain(command_id)

    assert engine.amounts(CLOCK) == [1]


def test_after_a_death_commands_are_run_one_at_a_time(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(3)]
    engine.take_and_die(ids[0])
    engine.drain(ids[0])

    assert appends(engine, ids) == 3


def test_after_a_death_each_command_is_marked_before_it_is_run(engine: Engine) -> None:
    ids = [engine.accept(add) for _ in range(3)]
    engine.take_and_die(ids[0])
    engine.drain(ids[0])

    assert [engine.entry(i).attempts for i in ids] == [2, 1, 1]


def test_a_command_that_kills_its_runners_is_failed(engine: Engine) -> None:
    command_id = engine.accept(add)
    for _ in range(3):
        engine.take_and_die(command_id)
    engine.drain(command_id, limits=Limits(deaths=3))

    assert (engine.statuses(command_id), error_of(engine, command_id)["error"]) == (
        ["failed"],
        "RunnerDied",
    )


def test_those_behind_a_command_that_kills_its_runners_go_on(engine: Engine) -> None:
    killer = engine.accept(add)
    for _ in range(3):
        engine.take_and_die(killer)
    engine.accept(Add(counter_id="clock", amount=7))
    engine.drain(killer, limits=Limits(deaths=3))

    assert engine.amounts(CLOCK) == [7]


def test_a_command_is_not_failed_before_its_runners_died_often_enough(
    engine: Engine,
) -> None:
    command_id = engine.accept(add)
    for _ in range(2):
        engine.take_and_die(command_id)
    engine.drain(command_id, limits=Limits(deaths=3))

    assert engine.statuses(command_id) == ["succeeded"]


def test_a_crash_of_postgresql_is_no_commands_fault(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take_and_die(command_id)
    engine.connection.execute(
        "UPDATE commands SET started_at = pg_postmaster_start_time() - '1 ms'::interval"
    )
    engine.drain(command_id)

    assert kinds(engine, command_id) == []


def test_a_runner_that_lost_its_connection_takes_its_mark_back(
    engine: Engine,
) -> None:
    administrator = engine.connect()

    def disconnect(_: Any) -> None:
        administrator.execute(
            "SELECT pg_terminate_backend(%s, 10000)",
            (engine.connection.info.backend_pid,),
        )

    command_id = engine.accept(add)
    with pytest.raises(psycopg.OperationalError):
        engine.drain(command_id, deciders=meanwhile(disconnect))
    forget_marks(engine.connect(), "worker", command_id, {"error": "OperationalError"})
    entry = engine.entry(command_id)

    assert (entry.status, kinds(engine, command_id)) == ("accepted", ["interrupted"])


def test_the_readers_are_told(engine: Engine) -> None:
    assert engine.drain(engine.accept(add)).has_signalled


def test_the_readers_are_told_once_until_they_look(engine: Engine) -> None:
    engine.drain(engine.accept(add))

    assert not engine.drain(engine.accept(add)).has_signalled


def test_the_readers_are_told_again_when_they_have_looked(engine: Engine) -> None:
    engine.drain(engine.accept(add))
    clear_signal(engine.connection, CATCH_UP)

    assert engine.drain(engine.accept(add)).has_signalled

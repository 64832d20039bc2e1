"""What goes wrong in a drain, and whose fault it is."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.journal.drain import drain
from eventstore.journal.runner import FinishedCommand, Limits, Runner
from eventstore.journal.take import forget_marks
from tests.support.engine import (
    COUNTERS,
    Add,
    Added,
    Counter,
    Divide,
    Engine,
    counters,
    meanwhile,
)
from tests.support.journal import appends, error_of, kinds
from tests.support.waiting import wait_until

CLOCK = "counter-clock"

add = Add(counter_id="clock")


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


def test_a_mark_that_is_somebody_elses_by_now_stays(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take(command_id, engine.connect())
    before = engine.entry(command_id)
    forget_marks(engine.connection, "another", command_id, {"error": "Timeout"})

    assert engine.entry(command_id) == before


def test_a_mark_that_becomes_somebody_elses_meanwhile_stays(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.take_and_die(command_id)
    other, observer = engine.connect(autocommit=False), engine.connect()
    forgetting = (engine.connection, "worker", command_id, {"error": "Timeout"})
    with ThreadPoolExecutor(1) as thread:
        other.execute("UPDATE commands SET ran_by = 'another', started_at = now()")
        forgotten = thread.submit(forget_marks, *forgetting)
        wait_until(lambda: engine.is_waiting_for_a_lock(observer), "it waits")
        other.commit()
        forgotten.result(10)

    assert kinds(engine, command_id) == []
    assert engine.entry(command_id).started_at is not None


def test_what_is_finished_by_now_is_not_tried_again(engine: Engine) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)
    before = engine.entry(command_id)
    forget_marks(engine.connection, "worker", command_id, {"error": "OperationalError"})

    assert engine.entry(command_id) == before
    assert kinds(engine, command_id) == []


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


def test_a_command_that_kills_its_runners_is_reported_as_others_are(
    engine: Engine,
) -> None:
    engine.append(CLOCK, 1, 1, expected=0)
    killer = engine.accept(add)
    for _ in range(3):
        engine.take_and_die(killer)
    behind = engine.accept(add)
    reported: list[FinishedCommand] = []
    runner = Runner(
        deciders=COUNTERS,
        name="worker",
        limits=Limits(deaths=3),
        report=reported.append,
    )
    drained = drain(engine.connection, [behind], runner)

    assert drained.finished == 2
    assert [(r.command_id, r.status, r.why, r.version) for r in reported] == [
        (killer, "failed", "RunnerDied", 2),
        (behind, "succeeded", None, 3),
    ]
    assert (reported[0].type, reported[0].attempts) == ("Add", 3)


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
        "UPDATE commands SET marked_under = marked_under - interval '1 s'"
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

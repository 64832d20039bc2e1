"""What fails in a runtime is seen, and stops nothing else."""

import logging
import threading

import pytest

from eventstore.errors import CannotProject, ReaderStopped
from eventstore.journal.runner import FinishedCommand
from eventstore.projections.projection import Fact, LookedUp
from tests.support.engine import (
    Add,
    Divide,
    Engine,
)
from tests.support.runtimes import (
    Total,
    fail_at_13,
    fold,
    lag_of,
    rows,
    runtime_on,
    send_one,
    statuses,
    totals,
)
from tests.support.waiting import wait_until


def test_a_fold_that_raises_is_seen_and_the_others_go_on(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with runtime_on(engine, totals(), totals("cautious", fail_at_13)) as runtime:
        send_one(engine.connection, Add(counter_id="clock", amount=13))
        with pytest.raises(ReaderStopped, match=r"cautious_g1 .* thirteen") as stopped:
            runtime.wait()
        wait_until(lambda: rows(engine) == {"clock": 13}, "the other one goes on")

        lag = lag_of(runtime, "cautious_g1")

    assert isinstance(stopped.value.__cause__, CannotProject)
    assert lag.standstill is not None
    assert (lag.lag, lag.standstill.because) == (1, "code")
    (line,) = {r.getMessage() for r in caplog.records if r.levelno == logging.ERROR}
    assert "cautious_g1 stands still: Cannot project the event at 1" in line
    assert "in fail_at_13)" in line


def test_a_fold_that_is_mended_goes_on_where_it_stood(engine: Engine) -> None:
    is_mended = threading.Event()

    def fold_when_mended(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total:
        return (fold if is_mended.is_set() else fail_at_13)(row, fact, looked_up)

    engine.append("counter-clock", 1, 13, 2, expected=0)
    with runtime_on(engine, totals(fold=fold_when_mended)) as runtime:
        wait_until(lambda: lag_of(runtime, "totals_g1").is_stopped, "it stands still")
        assert rows(engine) == {"clock": 1}
        is_mended.set()
        wait_until(lambda: rows(engine) == {"clock": 16}, "it goes on")


def test_where_it_is_wanted_a_fold_that_raises_ends_the_work(engine: Engine) -> None:
    engine.append("counter-clock", 13, expected=0)
    runtime = runtime_on(engine, totals(fold=fail_at_13), raises=True)

    with pytest.raises(CannotProject, match="thirteen"), runtime:
        assert runtime.has_ended.wait(60)


def test_a_bug_in_a_decider_fails_its_command_and_is_logged(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    finished: list[FinishedCommand] = []
    with runtime_on(engine, report_command=finished.append) as runtime:
        send_one(engine.connection, Divide(counter_id="clock"))
        send_one(engine.connection, Add(counter_id="clock"))
        runtime.wait()

    assert statuses(engine) == [("Divide", "failed"), ("Add", "succeeded")]
    assert [one.status for one in finished] == ["failed", "succeeded"]
    assert "Divide of counter-clock failed: ZeroDivisionError" in caplog.text


def test_a_report_that_fails_changes_nothing(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(command: FinishedCommand) -> None:
        raise ValueError("nobody listens")

    with runtime_on(engine, report_command=fail) as runtime:
        send_one(engine.connection, Add(counter_id="clock"))
        send_one(engine.connection, Add(counter_id="clock"))
        runtime.wait()

    assert statuses(engine) == [("Add", "succeeded")] * 2
    assert "a report of a command failed" in caplog.text


def test_lost_sessions_are_opened_again(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with runtime_on(engine, totals()) as runtime:
        send_one(engine.connection, Add(counter_id="clock"))
        runtime.wait()
        ended = engine.connection.execute(
            """
            SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()
                AND backend_type = 'client backend'
            """
        ).fetchall()
        # That of a `wait` may be on its way out.
        assert len(ended) >= 4
        send_one(engine.connection, Add(counter_id="clock"))
        runtime.wait()

        assert rows(engine) == {"clock": 2}
        assert "log reader: no database, again in 0.1 s" in caplog.text


def test_a_read_model_of_another_definition_is_said_to_be_outdated(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with runtime_on(engine, totals()) as runtime:
        runtime.wait()
    with runtime_on(engine, totals(version=2), totals("others")) as runtime:
        send_one(engine.connection, Add(counter_id="clock"))
        wait_until(lambda: rows(engine, "others") == {"clock": 1}, "the other is kept")
        standstill = lag_of(runtime, "totals_g1").standstill
        with pytest.raises(ReaderStopped, match="totals_g1 stands still: outdated"):
            runtime.wait()

    assert standstill is not None
    assert standstill.because == "outdated"
    assert "totals stands still, made from another definition" in caplog.text

"""A program: started when the database is there, stopped in order by a signal."""

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from eventstore.errors import CannotProject
from eventstore.runtime.run import run
from tests.support.engine import COUNTERS, Add, Engine
from tests.support.runtimes import fail_at_13, rows, send_one, totals, url_of
from tests.support.waiting import wait_until


class Stopper(logging.Handler):
    """Sends this process a signal as soon as the log has a text."""

    def __init__(self, text: str, number: signal.Signals) -> None:
        super().__init__()
        self.text = text
        self.number = number

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            os.kill(os.getpid(), self.number)


@contextmanager
def stopping_at(text: str, number: signal.Signals) -> Iterator[None]:
    log = logging.getLogger("eventstore.runtime")
    stopper = Stopper(text, number)
    before = log.level
    log.setLevel(logging.DEBUG)
    log.addHandler(stopper)
    try:
        yield
    finally:
        log.removeHandler(stopper)
        log.setLevel(before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_program_returns_at_a_signal(
    engine: Engine, caplog: pytest.LogCaptureFixture, number: signal.Signals
) -> None:
    handler = signal.getsignal(number)
    send_one(engine.connection, Add(counter_id="clock"))

    with stopping_at("Add of counter-clock succeeded", number):
        run(url_of(engine), COUNTERS, [totals()])

    assert "stopped" in caplog.messages
    assert signal.getsignal(number) is handler
    # The server ends a session a moment after it was closed.
    wait_until(lambda: count_other_sessions(engine) == 0, "it leaves no session")


def count_other_sessions(engine: Engine) -> int:
    row = engine.connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_program_waits_for_a_database_that_is_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with stopping_at("no database, again in 0.2 s", signal.SIGTERM):
        run("postgresql://127.0.0.1:1/nowhere", COUNTERS)

    assert "start: no database, again in 0.1 s" in caplog.text


def test_a_program_can_end_with_what_a_fold_raises(engine: Engine) -> None:
    send_one(engine.connection, Add(counter_id="clock", amount=13))

    with pytest.raises(CannotProject, match="thirteen"):
        run(url_of(engine), COUNTERS, [totals(fold=fail_at_13)], raises=True)
    assert rows(engine) == {}

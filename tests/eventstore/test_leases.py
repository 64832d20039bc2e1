"""Leases: who holds a stream and falls silent loses it, and changes nothing after."""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest

from eventstore.errors.refusals import is_lost_connection
from eventstore.journal import lease
from eventstore.journal.drain import drain
from eventstore.journal.lease import keeping_lease
from eventstore.journal.runner import Limits, Runner
from eventstore.journal.take import release, take_many
from tests.support.databases import ROOT
from tests.support.engine import COUNTERS, Add, Divide, Engine, connect, meanwhile
from tests.support.waiting import wait_until

CLOCK = "counter-clock"
SECONDS = 3.0
"""A lease, as `take` sets it."""

add = Add(counter_id="clock")


@contextmanager
def slow_runner(
    engine: Engine, command_id: UUID, seconds: float
) -> Iterator[subprocess.Popen[str]]:
    """Start a process that decides for so long, and wait until it holds the stream."""
    module = [sys.executable, "-m", "tests.support.slow_runner"]
    with subprocess.Popen(
        [*module, engine.url, str(command_id), str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as runner:
        try:
            assert line(runner) == "deciding"
            yield runner
        finally:
            runner.send_signal(signal.SIGCONT)
            runner.kill()


def line(runner: subprocess.Popen[str]) -> str:
    assert runner.stdout is not None
    assert select.select([runner.stdout], [], [], 30)[0], "it says nothing"
    return runner.stdout.readline().strip()


def timeout_of(connection: psycopg.Connection[Any]) -> str:
    """Return after what silence the server ends this session; 0 is never."""
    row = connection.execute("SHOW idle_session_timeout").fetchone()
    assert row is not None
    return str(row[0])


def hold(engine: Engine, *ids: UUID) -> psycopg.Connection[Any]:
    connection = engine.connect()
    taken = take_many(connection, ids, Runner(deciders=COUNTERS, name="worker"))
    assert len(taken) == len(ids)
    return connection


def test_who_is_stopped_loses_its_stream_and_changes_nothing_when_it_wakes(
    engine: Engine,
) -> None:
    command_id = engine.accept(add)
    with slow_runner(engine, command_id, 0.5) as runner:
        runner.send_signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        wait_until(lambda: engine.drain(command_id).finished, "somebody else runs it")
        seconds = time.monotonic() - stopped_at
        before = engine.stream(CLOCK)
        runner.send_signal(signal.SIGCONT)

        assert line(runner).startswith("lost ")
        assert seconds < SECONDS + 1
    assert engine.stream(CLOCK) == before
    assert engine.amounts(CLOCK) == [1]
    assert [i.kind for i in engine.incidents(command_id)] == ["runner_died"]


def test_who_decides_for_longer_than_a_lease_keeps_its_stream(engine: Engine) -> None:
    command_id = engine.accept(add)
    other = engine.connect()
    with slow_runner(engine, command_id, SECONDS + 1.5) as runner:
        until = time.monotonic() + SECONDS + 1
        while time.monotonic() < until:
            assert engine.take(command_id, other) is None
            time.sleep(0.1)

        assert line(runner) == "1"
    assert engine.amounts(CLOCK) == [1]
    assert engine.incidents(command_id) == []


def test_a_holder_that_says_nothing_is_told_why_it_lost_its_session(
    engine: Engine,
) -> None:
    connection = hold(engine, engine.accept(add))
    time.sleep(SECONDS + 0.5)

    with pytest.raises(psycopg.Error) as lost:
        release(connection, CLOCK)
    assert lost.value.sqlstate == "57P05"
    assert is_lost_connection(lost.value)


def test_who_has_let_go_may_be_silent(engine: Engine) -> None:
    connection = hold(engine, engine.accept(add))
    assert timeout_of(connection) == "3s"
    release(connection, CLOCK)

    assert timeout_of(connection) == "0"


def test_a_session_that_lets_go_is_as_it_began(engine: Engine) -> None:
    command_id = engine.accept(add)
    options = "-c idle_session_timeout=9min"
    with connect(engine.url, options=options) as connection:
        # As a session is pinned that does not want what its database has.
        connection.execute("SET idle_session_timeout = '7min'")
        engine.take(command_id, connection)
        assert timeout_of(connection) == "3s"
        release(connection, CLOCK)

        assert timeout_of(connection) == "7min"


def test_the_lease_lasts_until_the_last_stream_is_let_go(engine: Engine) -> None:
    ids = [engine.accept(Add(counter_id=name)) for name in ("a", "b", "c")]
    connection = hold(engine, *ids)
    timeouts = []
    for name in ("a", "b", "c"):
        # Whoever lets go twice lets go of nothing the second time.
        release(connection, f"counter-{name}")
        release(connection, f"counter-{name}")
        timeouts.append(timeout_of(connection))

    assert timeouts == ["3s", "3s", "0"]


@pytest.mark.parametrize("bad", [Divide(counter_id="b"), Add(counter_id="b", amount=0)])
def test_streams_that_were_taken_together_are_let_go_whatever_becomes_of_them(
    engine: Engine, bad: Any
) -> None:
    ids = [engine.accept(Add(counter_id="a")), engine.accept(bad)]
    connection = engine.connect()
    drain(connection, ids, Runner(deciders=COUNTERS, name="worker"))

    assert timeout_of(connection) == "0"


def test_a_time_limit_is_not_hidden_by_the_thread(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS_BETWEEN", 0.001)

    class TimeIsUp(Exception):
        pass

    def raise_it(*_: object) -> None:
        raise TimeIsUp

    def query(_: Any) -> None:
        for _ in range(10_000):
            engine.connection.execute("SELECT 1")

    limits = Limits(interruptions=(TimeIsUp,))
    runner = Runner(deciders=meanwhile(query), name="worker", limits=limits)
    command_id = engine.accept(add)
    before = signal.signal(signal.SIGALRM, raise_it)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(TimeIsUp):
            drain(engine.connection, [command_id], runner)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_the_thread_and_the_drain_do_not_get_each_others_answers(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS_BETWEEN", 0.001)
    connection = engine.connect()
    with keeping_lease(connection):
        answers = [
            connection.execute("SELECT %s::int", (number,)).fetchone()
            for number in range(2_000)
        ]
        with connection.pipeline(), connection.transaction():
            last = connection.execute("SELECT 'in a pipeline'").fetchone()

    assert answers == [(number,) for number in range(2_000)]
    assert last == ("in a pipeline",)


def test_a_process_has_one_thread_however_often_it_drains(engine: Engine) -> None:
    for _ in range(5):
        engine.drain(engine.accept(add))

    assert [t.name for t in threading.enumerate()].count("lease") == 1


def test_a_forked_process_has_a_thread_of_its_own(engine: Engine) -> None:
    engine.drain(engine.accept(add))
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with connect(engine.url) as own, keeping_lease(own):
            names = [t.name for t in threading.enumerate()]
            os.write(
                writing, f"{names.count('lease')} {len(lease.leases().held)}".encode()
            )
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        assert answer.read() == "1 1"


def test_a_server_that_does_not_answer_any_more_is_cut_off(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SECONDS_BETWEEN", 0.05)
    monkeypatch.setattr(lease, "MAX_SECONDS_TO_ANSWER", 0.3)
    silent, well = engine.connect(), engine.connect()
    with keeping_lease(silent), keeping_lease(well):
        os.kill(silent.info.backend_pid, signal.SIGSTOP)
        try:
            wait_until(silent.lock.locked, "the thread waits for an answer")
            # It waits for the same, and not for ever.
            with pytest.raises(psycopg.OperationalError):
                silent.execute("SELECT 1")
        finally:
            os.kill(silent.info.backend_pid, signal.SIGCONT)
        assert well.execute("SELECT 1").fetchone() == (1,)

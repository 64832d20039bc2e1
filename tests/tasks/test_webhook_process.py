"""The relay keeps a sender while one is wanted, and starts another when it dies."""

from typing import Any

import pytest

from tasks import child_process as process
from tasks.child_process import ChildProcess
from tasks.webhooks.process import send


class FakeProcess:
    """A child process that runs until it is killed."""

    runs = False
    exitcode: int | None = None

    def start(self) -> None:
        self.runs = True

    def is_alive(self) -> bool:
        return self.runs

    def kill(self) -> None:
        self.runs = False


class FakeContext:
    """Makes values and processes as `multiprocessing` does, without a fork."""

    def __init__(self) -> None:
        self.made: list[FakeProcess] = []

    def Process(self, **_: object) -> FakeProcess:
        self.made.append(FakeProcess())
        return self.made[-1]

    def RawValue(self, kind: Any, value: Any) -> Any:
        return kind(value)


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


@pytest.fixture
def sender(context: FakeContext) -> ChildProcess:
    fake: Any = context
    wiring: Any = None
    return ChildProcess(fake, wiring, "sender", send)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000.0]
    monkeypatch.setattr("tasks.child_process.time.monotonic", lambda: now[0])
    return now


def test_none_is_started_that_nobody_wants(
    sender: ChildProcess, context: FakeContext, clock: list[float]
) -> None:
    sender.tend()
    assert context.made == []


def test_one_that_has_ended_is_started_again_while_it_is_wanted(
    sender: ChildProcess, context: FakeContext, clock: list[float]
) -> None:
    sender.wanted.value = True
    sender.tend()
    sender.tend()
    assert len(context.made) == 1
    context.made[0].kill()
    clock[0] += 2
    sender.tend()
    assert len(context.made) == 1
    sender.wanted.value = True
    sender.tend()
    assert len(context.made) == 2


def test_each_one_that_died_is_logged_with_its_exit_code(
    sender: ChildProcess,
    context: FakeContext,
    clock: list[float],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One that fails at its start would otherwise be started for ever in silence."""
    for exitcode in (1, -9, 0):
        sender.wanted.value = True
        sender.tend()
        context.made[-1].exitcode = exitcode
        context.made[-1].kill()
        clock[0] += 2
        for _ in range(3):
            sender.tend()

    died = [r.getMessage() for r in caplog.records if "child died" in r.getMessage()]
    assert len(died) == 2
    assert "'exitcode': 1" in died[0]
    assert "'exitcode': -9" in died[1]


def test_one_that_does_not_move_is_killed(
    sender: ChildProcess, context: FakeContext, clock: list[float]
) -> None:
    sender.wanted.value = True
    sender.tend()
    (running,) = context.made
    clock[0] += process.MAX_SECONDS_STILL
    sender.moved_at.value = clock[0] - 1
    sender.tend()
    assert running.is_alive()
    clock[0] += process.MAX_SECONDS_STILL
    sender.tend()
    assert not running.is_alive()

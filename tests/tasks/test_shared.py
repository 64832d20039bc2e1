"""What is counted in memory is counted once for all processes of a shop's web."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any, cast

import pytest

from eventstore.journal.statistics import Tally
from tasks.broker.circuit_breaker import Breaker, State
from tasks.shop.shared_memory import SharedMemory
from tests.support.waiting import wait_until
from webapp import metrics
from webapp.token_cache import MAX_WRONG, TokenCache


def in_a_fork(deed: Callable[[], object]) -> None:
    """Do something in another process, as gunicorn forks those that serve."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            deed()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0


def test_failures_of_two_processes_open_one_breaker() -> None:
    breaker = Breaker(threshold=2, first_rest=60)
    states = []
    for deed in (breaker.failed, breaker.failed, breaker.succeeded):
        in_a_fork(deed)
        states.append(breaker.state)

    assert states == [State.CLOSED, State.OPEN, State.CLOSED]


def test_one_of_all_processes_probes() -> None:
    breaker = Breaker(threshold=1, first_rest=0.001)
    breaker.failed()
    wait_until(lambda: breaker.is_due, "it has rested")
    in_a_fork(breaker.lets_through)

    assert breaker.state is State.HALF_OPEN
    assert not breaker.lets_through()


def test_who_dies_while_probing_does_not_keep_it_half_open_for_ever() -> None:
    now = [1.0]
    breaker = Breaker(threshold=1, first_rest=0.5, clock=lambda: now[0])
    breaker.failed()
    now[0] = 2.0
    assert breaker.lets_through()
    now[0] = 40.0

    assert breaker.lets_through()


def test_wrong_tokens_of_all_processes_are_counted_together() -> None:
    remembered = TokenCache()

    def guess() -> None:
        for number in range(MAX_WRONG // 2):
            remembered.learn(os.urandom(32) + bytes([number]), None)

    in_a_fork(guess)
    assert not remembered.is_refused(b"x" * 32)
    in_a_fork(guess)

    assert remembered.is_refused(b"x" * 32)


def test_who_was_right_in_another_process_is_looked_up_all_the_same() -> None:
    remembered = TokenCache()
    in_a_fork(lambda: remembered.wrong.note_right(b"right" * 7))
    for number in range(MAX_WRONG):
        remembered.learn(bytes([number]) * 32, None)

    assert not remembered.is_refused(b"right" * 7)
    assert remembered.is_refused(b"other" * 7)
    in_a_fork(lambda: remembered.learn(b"right" * 7, None))
    assert remembered.is_refused(b"right" * 7)


def test_who_is_killed_with_the_lock_has_let_go_of_it() -> None:
    shared = SharedMemory(8)
    pid = os.fork()
    if pid == 0:
        with shared as memory:
            memory[0] = 1
            time.sleep(60)
        os._exit(1)
    wait_until(lambda: shared.memory[0] == 1, "it holds the lock")
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    with shared as memory:
        assert memory[0] == 1


def test_what_the_journal_holds_is_looked_up_by_one_process_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = metrics.JournalFigures()
    counts = iter([5, 6])

    def tally(_: object) -> Tally:
        return Tally(
            accepted=next(counts),
            by_status={"failed": 1},
            by_runner={"relay": 2},
            attempts=3,
            conflicts=4,
        )

    monkeypatch.setattr(metrics, "tally", tally)
    nowhere = cast(Any, None)
    in_a_fork(lambda: kept.tally_of(nowhere))
    next(counts)

    # It would be 6, and the next answer of the other process 5 again.
    assert kept.tally_of(nowhere) == Tally(
        accepted=5,
        by_status={"failed": 1},
        by_runner={"relay": 2},
        attempts=3,
        conflicts=4,
    )

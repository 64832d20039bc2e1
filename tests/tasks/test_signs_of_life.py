"""The relay kills a child that stands still, and none that is at a long statement."""

import multiprocessing
import time
from typing import Any

import pytest

from tasks import child_process
from tasks.child_process import ChildProcess
from tasks.past import process
from tests.support.waiting import wait_until

SECONDS_OF_STATEMENT = 1.0


def fill_slowly(*_: Any) -> bool:
    """Do what the filler of copies does during one long statement: nothing else."""
    time.sleep(SECONDS_OF_STATEMENT)
    return True


@pytest.mark.parametrize(
    ("allowed", "exitcode"), [(60.0, 0), (0.0, -9)], ids=["a statement", "a hang"]
)
def test_a_filler_is_killed_for_a_hang_and_not_for_a_long_statement(
    monkeypatch: pytest.MonkeyPatch, allowed: float, exitcode: int
) -> None:
    monkeypatch.setattr(child_process, "MAX_SECONDS_STILL", 0.4)
    monkeypatch.setattr(child_process, "SECONDS_BETWEEN_SIGNS", 0.02)
    monkeypatch.setattr(process, "MAX_SECONDS_OF_STATEMENT", allowed)
    monkeypatch.setattr(process, "fill_in_turn", fill_slowly)
    context = multiprocessing.get_context("fork")
    wiring: Any = lambda: None  # noqa: E731
    child = ChildProcess(context, wiring, "filler", process.fill_copies)
    child.wanted.value = True
    child.tend()
    running = child.process
    assert running is not None

    def has_ended() -> bool:
        if running.is_alive():
            child.tend()
        return not running.is_alive()

    wait_until(has_ended, "the filler ends")
    assert running.exitcode == exitcode

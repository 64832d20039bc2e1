"""What beat does when the clock of its machine is set."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.beat import PersistentScheduler

from tasks.schedule import Scheduler

ENTRIES = ("catch up", "seal", "take snapshots")


class Telling:
    """Writes down what would be sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.sent: list[str | None] = []
        super().__init__(*args, **kwargs)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        self.sent.append(entry.name)


class Ours(Telling, Scheduler):
    """Ours, as it is."""


class Celerys(Telling, PersistentScheduler):
    """Celery's, for comparison."""


@pytest.fixture
def app() -> Iterator[Celery]:
    app = Celery("a shop of its own", set_as_current=False, broker="memory://")
    app.conf.beat_schedule = {
        name: {"task": name, "schedule": 0.001} for name in ENTRIES
    }
    yield app
    app.close()


def run(scheduler: Any) -> set[str]:
    """Let it tick for a while after its clock was set back by an hour."""
    scheduler.tick()
    for entry in scheduler.schedule.values():
        entry.last_run_at += timedelta(hours=1)
    scheduler.populate_heap()
    scheduler.sent.clear()
    for _ in range(1_000):
        scheduler.tick()
    scheduler.close()
    return set(scheduler.sent)


def test_a_clock_that_is_set_back_stops_no_entry(app: Celery, tmp_path: Path) -> None:
    scheduler = Ours(app, schedule_filename=str(tmp_path / "schedule"))

    assert run(scheduler) == set(ENTRIES)


def test_celerys_own_scheduler_waits_for_the_hour(app: Celery, tmp_path: Path) -> None:
    """Once it does not any more, ours can go."""
    scheduler = Celerys(app, schedule_filename=str(tmp_path / "schedule"))

    assert run(scheduler) == set()

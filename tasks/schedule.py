"""What beat does, and how often. Missing a tick or having two beats changes nothing."""

from typing import Any

from celery.beat import PersistentScheduler

from tasks.shop.settings import Settings

EXPORT_SECONDS = 3_600.0
"""A file a day, which grows with the day: a beat that restarts misses none."""


def entries(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the schedule; every entry expires before its next tick is due."""
    schedule = {
        "catch up": entry("catch_up", settings.catch_up_seconds),
        "take snapshots": entry("take_snapshots", settings.snapshot_seconds),
        "seal": entry("seal", settings.seal_seconds),
    }
    if settings.seals_export_dir is not None:
        schedule["export seals"] = entry("export_seals", EXPORT_SECONDS)
    return schedule


def entry(task: str, every: float) -> dict[str, Any]:
    return {"task": task, "schedule": every, "options": {"expires": every * 0.9}}


class Scheduler(PersistentScheduler):
    """
    Takes nothing for done in the future.

    Celery waits until an entry's last run and its interval are over, and writes both to
    a file: a clock that went an hour ahead and was set right left beat idle for that
    hour, also after a restart.
    """

    _heap: list[Any] | None

    def tick(self, *args: Any, **kwargs: Any) -> float:
        for entry in self.schedule.values():
            now = entry.default_now()
            if entry.last_run_at is not None and entry.last_run_at > now:
                entry.last_run_at = now
                # The heap is still ordered by the earlier times.
                self._heap = None
        return super().tick(*args, **kwargs)

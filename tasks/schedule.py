"""The schedule of beat. A missed tick or a second beat process does no harm."""

from typing import Any

from celery.beat import PersistentScheduler

from tasks.shop.settings import Settings

EXPORT_SECONDS = 3_600.0
"""Hourly, though it is one file a day: so a restart of beat misses no day."""
LEFTOVERS_SECONDS = 3_600.0


def entries(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the schedule; every entry expires before its next tick is due."""
    schedule = {
        "catch up": entry("catch_up", settings.catch_up_seconds),
        "take snapshots": entry("take_snapshots", settings.snapshot_seconds),
        "seal": entry("seal", settings.seal_seconds),
        "drop leftovers": entry("drop_leftovers", LEFTOVERS_SECONDS),
    }
    if settings.audit_seconds is not None:
        schedule["audit"] = entry("audit", settings.audit_seconds)
    if settings.seals_export_dir is not None:
        schedule["export seals"] = entry("export_seals", EXPORT_SECONDS)
    return schedule


def entry(task: str, every: float) -> dict[str, Any]:
    return {"task": task, "schedule": every, "options": {"expires": every * 0.9}}


class Scheduler(PersistentScheduler):
    """
    A scheduler that ignores last runs in the future.

    Celery waits for an entry's last run plus its interval, and keeps both in a file:
    a clock that was an hour ahead and then corrected left beat idle for that hour, also
    after a restart.
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

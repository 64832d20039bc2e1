"""Beat's scheduler: when its clock is set back, it goes on by the clock as it is."""

from typing import Any

from celery.beat import PersistentScheduler


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
                # The heap is in the order of the times that were thought of before.
                self._heap = None
        return super().tick(*args, **kwargs)

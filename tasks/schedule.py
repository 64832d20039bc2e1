"""What beat does, and how often. Missing a tick or having two beats changes nothing."""

from typing import Any

from tasks.settings import Settings


def entries(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the schedule; every entry expires before its next tick is due."""
    return {
        "catch up": entry("catch_up", settings.catch_up_seconds),
        "take snapshots": entry("take_snapshots", settings.snapshot_seconds),
    }


def entry(task: str, every: float) -> dict[str, Any]:
    return {"task": task, "schedule": every, "options": {"expires": every * 0.9}}

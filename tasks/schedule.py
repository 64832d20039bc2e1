"""What beat does, and how often. Missing a tick or having two beats changes nothing."""

from typing import Any

from tasks.settings import Settings

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

"""What beat does, and how often. Missing a tick or having two beats changes nothing."""

from typing import Any

from tasks.settings import Settings


def entries(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the schedule; every entry expires before its next tick is due."""
    every = settings.catch_up_seconds
    return {
        "catch up": {
            "task": "catch_up",
            "schedule": every,
            "options": {"expires": every * 0.9},
        }
    }

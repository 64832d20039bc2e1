"""
The shop's Celery application with two tasks more: what commands are held against.

`celery -A benchmarks.commanding.empty worker` serves both, by the same processes and
settings.
"""

import time
from pathlib import Path

from tasks.app import app

__all__ = ["app"]


@app.task(name="empty")
def empty(_: list[str]) -> None:
    """Do nothing with as much as the shop's task is given."""


@app.task(name="mark")
def mark(path: str) -> None:
    """Note when everything that was sent before has been begun."""
    partial = Path(path).with_suffix(".partial")
    partial.write_text(str(time.monotonic()))
    partial.rename(path)

"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], object], what: str, *, seconds: float = 60
) -> None:
    """Wait until *condition* holds; fail the test with *what* when it does not."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)

"""Turns for hashing passwords, which takes 64 MB and all cores for a moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore

from webapp.problems import Problem

SECONDS_TO_WAIT = 10
BUSY = "Too many people log in at this moment. Try again."
ONE = BoundedSemaphore()


@contextmanager
def a_turn() -> Iterator[None]:
    """
    Let one thread of the process in at a time.

    Raises the Problem `unavailable` if it takes too long.
    """
    if not ONE.acquire(timeout=SECONDS_TO_WAIT):
        raise Problem("unavailable", BUSY)
    try:
        yield
    finally:
        ONE.release()

"""What a kind of fault is."""

import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.faults.desk import Desk

Strike = Callable[[Desk, random.Random], AbstractContextManager[str]]
Seconds = tuple[float, float]

MISSED = "missed"
"""How the detail begins of a fault that found nothing to strike."""
BLOW: Seconds = (0, 0)
"""It strikes, and that is all."""

Blow = Callable[[Desk, random.Random], Iterator[str]]


def can_be_made(desk: Desk) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of fault: entering what *strike* returns breaks something, leaving mends it.

    What is entered tells in a few words what was struck, or that it `MISSED`. It lasts
    for so many seconds, between two bounds, when a desk is at work.
    """

    name: str
    lasting: Seconds
    strike: Strike
    needs: Callable[[Desk], str] = can_be_made
    """Return why it cannot be made at this desk, or `""`."""
    victim: str = ""
    """Two that last and have the same victim are not made at once."""

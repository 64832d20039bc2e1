"""How much a runner takes at once, and how often something may go wrong."""

from collections.abc import Callable
from dataclasses import dataclass


def always(stream_id: str) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The bounds of one drain.

    *interruptions* are the errors that a runner's own time limit raises: they are the
    fault of the command that is decided only if that one took long itself. A
    runner keeps a snapshot of what took it *long_past* events to load, of streams that
    it *keeps_snapshots* of: one that gets a thousand commands in a second grows faster
    than who takes snapshots comes by.
    """

    commands: int = 100
    bytes: int = 1_000_000
    seconds_of_deciding: float = 1.0
    seconds_of_one_command: float = 5.0
    # Then another stream has its turn; what is left here is told to the caller.
    seconds_of_draining: float = 5.0
    conflicts: int = 5
    deaths: int = 5
    long_past: int = 1_000
    keeps_snapshots: Callable[[str], bool] = always
    interruptions: tuple[type[Exception], ...] = ()

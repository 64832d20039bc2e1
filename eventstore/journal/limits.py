"""How much a runner takes at once, and how often something may go wrong."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The bounds of one drain.

    *interruptions* are the errors that a runner's own time limit raises: they are the
    fault of the command that is decided only if that one took long itself.
    """

    commands: int = 100
    bytes: int = 1_000_000
    seconds_of_deciding: float = 1.0
    seconds_of_one_command: float = 5.0
    # Then another stream has its turn; what is left here is told to the caller.
    seconds_of_draining: float = 5.0
    conflicts: int = 5
    deaths: int = 5
    interruptions: tuple[type[Exception], ...] = ()

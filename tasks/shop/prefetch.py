"""How many commands a worker runs ahead of their messages, and which it has run."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from struct import Struct
from uuid import UUID

MAX_AHEAD = 30
"""Further commands in a run, each of another stream, whose lock is held."""
QUICK = 0.05
"""Seconds; after a run that was not longer, the next one may have more commands."""
REMEMBERED = 1 << 16
"""Places for ids: 1.5 MB."""
SECONDS_TO_REMEMBER = 60.0
"""Longer than most messages wait in the queue."""
ENTRY = Struct("=16sd")
"""A command id, and the time at which it was added."""


@dataclass
class PrefetchWindow:
    """
    The number of commands that a run may add to the one in its message.

    After a quick run the number doubles. If commands take long, it shrinks, so that
    other processes can run them.
    """

    ahead: int = 0

    def note(self, seconds: float) -> None:
        """Adjust the number to the duration of a run, in seconds."""
        quick = seconds <= QUICK
        self.ahead = min(2 * self.ahead + 1, MAX_AHEAD) if quick else self.ahead // 4

    def note_error(self) -> None:
        """Set the number to 0: an added command may have caused the error."""
        self.ahead = 0


class RecentlyFinished:
    """
    The last commands that this worker has finished.

    Their messages may still arrive, and need no task. Only final ones are added: a
    failed command may be retried. Ids expire, because after pruning another command may
    have the same key, and so the same id.

    The memory is shared by all processes forked after it was made: a worker's main
    process and its children. Each id has one place; the last written one keeps it.
    There is no lock: two concurrent writes may leave a mixture, which is no command's
    id.
    """

    def __init__(
        self,
        places: int = REMEMBERED,
        seconds: float = SECONDS_TO_REMEMBER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.places = places
        self.seconds = seconds
        # The monotonic clock is the same for all processes of a machine.
        self.clock = clock
        self.memory = mmap(-1, places * ENTRY.size)

    def add(self, command_id: UUID) -> None:
        place = self.place_of(command_id)
        ENTRY.pack_into(self.memory, place, command_id.bytes, self.clock())

    def __contains__(self, command_id: UUID) -> bool:
        known, added_at = ENTRY.unpack_from(self.memory, self.place_of(command_id))
        return bool(
            known == command_id.bytes and self.clock() - added_at < self.seconds
        )

    def place_of(self, command_id: UUID) -> int:
        return command_id.int % self.places * ENTRY.size

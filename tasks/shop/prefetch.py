"""What a worker does ahead of its messages, and that it has done it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from struct import Struct
from uuid import UUID

MAX_AHEAD = 30
"""Neighbours that go along with a command; a stream each, whose locks are held."""
QUICK = 0.05
"""Seconds of a run up to which the next one may take more along."""
REMEMBERED = 1 << 16
"""Places for ids: a megabyte and a half."""
SECONDS_TO_REMEMBER = 60.0
"""Longer than messages wait for their turn, as a rule."""
ENTRY = Struct("=16sd")
"""An id, and when it was added."""


@dataclass
class PrefetchWindow:
    """
    How many commands behind the one that it was told of are taken along.

    As long as a run is quick, about twice as many the next time. Where commands take
    long, another process is to have them: each by itself.
    """

    ahead: int = 0

    def note(self, seconds: float) -> None:
        """Take note of how long a run took."""
        quick = seconds <= QUICK
        self.ahead = min(2 * self.ahead + 1, MAX_AHEAD) if quick else self.ahead // 4

    def note_error(self) -> None:
        """Take nobody along into what may be wrong with those that went along."""
        self.ahead = 0


class RecentlyFinished:
    """
    The last commands that this worker has brought to their end.

    Their messages may still come, and have nothing to do. Only what is final for ever
    is kept here: a failed one may be told to be tried again. And for a while only: when
    it was pruned, another command may come under the same key, which is its id.

    It is memory that all processes share which are forked after it was made: a worker's
    main process and its children. Each id has one place, which the last one takes.
    Nobody waits for anybody; of two that write there at once, a mixture may be left,
    which is no command's id.
    """

    def __init__(
        self,
        places: int = REMEMBERED,
        seconds: float = SECONDS_TO_REMEMBER,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.places = places
        self.seconds = seconds
        # It is one clock for all processes of a machine.
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

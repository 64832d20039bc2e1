"""What a worker's process does ahead of its messages, and that it has done it."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

MOST = 30
"""Neighbours that go along with a command; a stream each, whose locks are held."""
QUICK = 0.05
"""Seconds of a run up to which the next one may take more along."""
REMEMBERED = 10_000
SECONDS_TO_REMEMBER = 60.0
"""Longer than messages wait for their turn, as a rule."""


@dataclass
class Pace:
    """
    How many commands behind the one that it was told of are taken along.

    As long as a run is quick, about twice as many the next time. Where commands take
    long, another process is to have them: each by itself.
    """

    ahead: int = 0

    def note(self, seconds: float) -> None:
        """Take note of how long a run took."""
        quick = seconds <= QUICK
        self.ahead = min(2 * self.ahead + 1, MOST) if quick else self.ahead // 4

    def note_error(self) -> None:
        """Take nobody along into what may be wrong with those that went along."""
        self.ahead = 0


@dataclass
class Done:
    """
    The last commands that this process has brought to their end.

    Their messages may still come, and have nothing to do. Only what is final for ever
    is kept here: a failed one may be told to be tried again. And for a while only: when
    it was pruned, another command may come under the same key, which is its id.
    """

    most: int = REMEMBERED
    seconds: float = SECONDS_TO_REMEMBER
    clock: Callable[[], float] = time.monotonic
    # When each was added, the first first.
    known: dict[UUID, float] = field(default_factory=dict)

    def add(self, command_id: UUID) -> None:
        self.known.pop(command_id, None)
        self.known[command_id] = self.clock()
        if len(self.known) > self.most:
            del self.known[next(iter(self.known))]

    def __contains__(self, command_id: UUID) -> bool:
        added_at = self.known.get(command_id)
        return added_at is not None and self.clock() - added_at < self.seconds

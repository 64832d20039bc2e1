"""What a worker's process does ahead of its messages, and that it has done it."""

from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

MOST = 30
"""Neighbours that go along with a command; a stream each, whose locks are held."""
QUICK = 0.05
"""Seconds of a run up to which the next one may take more along."""
REMEMBERED = 10_000


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


@dataclass
class Done:
    """
    The last commands that this process has brought to their end.

    Their messages may still come, and have nothing to do. Only what is final for ever
    is kept here: a failed one may be told to be tried again.
    """

    most: int = REMEMBERED
    order: deque[UUID] = field(default_factory=deque)
    known: set[UUID] = field(default_factory=set)

    def add(self, command_id: UUID) -> None:
        if command_id in self.known:
            return
        self.known.add(command_id)
        self.order.append(command_id)
        if len(self.order) > self.most:
            self.known.discard(self.order.popleft())

    def __contains__(self, command_id: UUID) -> bool:
        return command_id in self.known

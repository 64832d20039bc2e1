"""The circuit breaker: who has failed is left alone for a while, then tried once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass
class Breaker:
    """
    Counts failures in a row; from *threshold* on it is open and lets nothing through.

    After a rest it is half open: one call goes through as a probe. Where that fails,
    the next rest is twice as long, up to *longest_rest*; else all is well.
    """

    threshold: int = 2
    first_rest: float = 0.5
    longest_rest: float = 5.0
    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    opened_at: float | None = None
    is_probing: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def state(self) -> State:
        if self.opened_at is None:
            return State.CLOSED
        return State.HALF_OPEN if self.is_probing else State.OPEN

    @property
    def rest(self) -> float:
        """Seconds from the last failure until the next probe."""
        doubled: float = self.first_rest * 2 ** min(self.failures - self.threshold, 10)
        return min(doubled, self.longest_rest)

    @property
    def is_due(self) -> bool:
        """Whether it has rested for long enough to be probed."""
        opened_at = self.opened_at
        return opened_at is None or self.clock() >= opened_at + self.rest

    def lets_through(self) -> bool:
        """
        Return whether a call may be made; whoever makes it reports how it went.

        While it is half open that is one caller alone.
        """
        with self.lock:
            if self.opened_at is None:
                return True
            if self.is_probing or not self.is_due:
                return False
            self.is_probing = True
            return True

    def succeeded(self) -> None:
        with self.lock:
            self.failures, self.opened_at, self.is_probing = 0, None, False

    def failed(self) -> None:
        with self.lock:
            self.failures += 1
            self.is_probing = False
            if self.failures >= self.threshold:
                self.opened_at = self.clock()

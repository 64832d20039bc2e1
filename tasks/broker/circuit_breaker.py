"""The circuit breaker: after failures it stops calls for a while, then tries one."""

import math
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from tasks.shop.shared_memory import SharedMemory

MAX_SECONDS_OF_PROBE = 30.0
"""Seconds after which the probing process counts as dead, and another may probe."""


class State(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Count(NamedTuple):
    """Failures in a row, the time it opened, the time a probe began; 0 is never."""

    failures: float = 0.0
    opened_at: float = 0.0
    probing_since: float = 0.0


FORM = struct.Struct("=3d")


@dataclass
class Breaker:
    """
    Counts failures in a row; from *threshold* on it is open and lets nothing through.

    After a rest it is half open: one call goes through as a probe. If the probe fails,
    the next rest is twice as long, up to *longest_rest*; otherwise the breaker closes.
    Processes forked after it was made share it.
    """

    threshold: int = 2
    first_rest: float = 0.5
    longest_rest: float = 5.0
    clock: Callable[[], float] = time.monotonic
    shared: SharedMemory = field(default_factory=lambda: SharedMemory(FORM.size))

    @property
    def state(self) -> State:
        with self.shared:
            count = self.read()
        if not count.opened_at:
            return State.CLOSED
        return State.HALF_OPEN if count.probing_since else State.OPEN

    @property
    def is_due(self) -> bool:
        """Whether its rest is over, so that a probe may go through."""
        with self.shared:
            return self.has_rested(self.read())

    @property
    def rest(self) -> float:
        """Seconds from the last failure until the next probe."""
        with self.shared:
            return self.rest_after(self.read())

    def rest_after(self, count: Count) -> float:
        doubled: float = self.first_rest * 2 ** min(count.failures - self.threshold, 10)
        return min(doubled, self.longest_rest)

    def has_rested(self, count: Count) -> bool:
        opened_at = count.opened_at
        return not opened_at or self.now() >= opened_at + self.rest_after(count)

    def lets_through(self) -> bool:
        """
        Return whether a call may be made; the caller reports its outcome.

        While it is half open, only one caller may.
        """
        with self.shared:
            count, now = self.read(), self.now()
            if not count.opened_at:
                return True
            is_probing = count.probing_since > 0 and now < (
                count.probing_since + MAX_SECONDS_OF_PROBE
            )
            if is_probing or not self.has_rested(count):
                return False
            self.write(count._replace(probing_since=now))
            return True

    def succeeded(self) -> None:
        with self.shared:
            self.write(Count())

    def failed(self) -> None:
        with self.shared:
            count = self.read()
            failures = count.failures + 1
            is_open = failures >= self.threshold
            opened_at = self.now() if is_open else count.opened_at
            self.write(Count(failures, opened_at))

    def now(self) -> float:
        # Shared memory begins as zeros.
        return self.clock() or math.ulp(0.0)

    def read(self) -> Count:
        return Count(*FORM.unpack(self.shared.memory))

    def write(self, count: Count) -> None:
        self.shared.memory[:] = FORM.pack(*count)

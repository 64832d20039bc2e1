"""
Whether the processes that run commands move: each writes the time, again and again.

A worker's main process beats its heart for those that it has forked, and a relay's
looks after one. They may all be stopped while it is well.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from mmap import mmap
from struct import Struct

MAX_PROCESSES = 256
SECONDS_BETWEEN = 0.25
STILL_AFTER = 2.0
"""Seconds without a sign after which a process does not move."""
ENTRY = Struct("=d")
"""When a process showed itself last; 0 of a place that nobody has had."""


class Pulses:
    """
    The last signs of life of several processes, each of which has a place.

    It is memory that all processes share which are forked after it was made. Times are
    of the monotonic clock, which is one for all processes of a machine. Who takes the
    place of one that has ended, takes its number.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.memory = mmap(-1, MAX_PROCESSES * ENTRY.size)

    def show(self, place: int) -> None:
        """Write that the process at *place* moves."""
        at = place % MAX_PROCESSES * ENTRY.size
        ENTRY.pack_into(self.memory, at, self.clock())

    def count_still(self, places: int) -> int:
        """
        Return how many of the first *places* do not move, or have not begun to.

        None, where nobody has shown himself at any: they are of a kind that does not.
        """
        before = self.clock() - STILL_AFTER
        times = [
            ENTRY.unpack_from(self.memory, place * ENTRY.size)[0]
            for place in range(min(places, MAX_PROCESSES))
        ]
        return sum(at < before for at in times) if any(times) else 0


def begin(pulses: Pulses, place: int) -> None:
    """
    Have this process show itself at *place* until it ends.

    By a thread: one that waits for work moves as well, and so does one that computes.
    One that is stopped does not.
    """

    def live() -> None:
        while True:
            # A command that eats all memory fails whatever asks for some next.
            with suppress(MemoryError):
                pulses.show(place)
            time.sleep(SECONDS_BETWEEN)

    threading.Thread(target=live, name="pulse", daemon=True).start()

"""
Pulses: each process that runs commands regularly writes the time to shared memory.

The heartbeat of a worker's main process stands for its children, and a relay watches
one child. The children may be stopped while the main process is well.
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
"""Seconds without a pulse after which a process counts as stopped."""
ENTRY = Struct("=d")
"""The time of the last pulse; 0 for a place that was never used."""


class Pulses:
    """
    The last pulses of several processes, each at its place.

    The memory is shared by all processes forked after it was made. Times are those of
    the monotonic clock, the same for all processes of a machine. A process that
    replaces another has its place.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.memory = mmap(-1, MAX_PROCESSES * ENTRY.size)

    def show(self, place: int) -> None:
        """Write the time as the pulse of the process at *place*."""
        at = place % MAX_PROCESSES * ENTRY.size
        ENTRY.pack_into(self.memory, at, self.clock())

    def count_still(self, places: int) -> int:
        """
        Return how many of the first *places* have no recent pulse.

        0 if no place ever had one: such processes write no pulses.
        """
        before = self.clock() - STILL_AFTER
        times = [
            ENTRY.unpack_from(self.memory, place * ENTRY.size)[0]
            for place in range(min(places, MAX_PROCESSES))
        ]
        return sum(at < before for at in times) if any(times) else 0


def begin(pulses: Pulses, place: int) -> None:
    """
    Write a pulse at *place* regularly until this process ends.

    A thread does it: so a process that waits for work or computes has a pulse, and one
    that is stopped has none.
    """

    def live() -> None:
        while True:
            # A command that takes all memory makes any other allocation fail.
            with suppress(MemoryError):
                pulses.show(place)
            time.sleep(SECONDS_BETWEEN)

    threading.Thread(target=live, name="pulse", daemon=True).start()

"""The number of subscribers of all web processes of the shop."""

import os
import struct
import time
from dataclasses import dataclass, field
from mmap import mmap

from tasks.shop.shared_memory import SharedMemory

MAX_STREAMS = 128
"""Open streams of events, of one shop."""
MAX_WAITING = 512
"""Requests that wait for an event, of one shop."""
LIMITS = (MAX_STREAMS, MAX_WAITING)
STREAM, WAITING = 0, 1
SECONDS_TO_LIVE = 30.0
"""Seconds after which a process's row does not count if it has not renewed it."""
MAX_PROCESSES = 64
ROW = struct.Struct("=QQQd")
"""A process id, its streams, its waiting requests, and the time of its last sign."""


@dataclass
class FollowerTally:
    """
    A row for each process; the row of a killed one does not count.

    Make it before the fork.
    """

    shared: SharedMemory = field(
        default_factory=lambda: SharedMemory(MAX_PROCESSES * ROW.size)
    )
    process: int = 0
    """The process id of this copy's row, once it has one."""

    def take(self, kind: int) -> bool:
        """Count one more of a *kind*; return False if the maximum is reached."""
        with self.shared as memory:
            rows = living_rows(memory)
            own = rows.get(os.getpid()) or free_row(memory, rows)
            if (
                own is None
                or sum(row.counts[kind] for row in rows.values()) >= (LIMITS[kind])
            ):
                return False
            own.counts[kind] += 1
            own.write(memory)
            return True

    def give_back(self, kind: int) -> None:
        """Count one less."""
        with self.shared as memory:
            own = living_rows(memory).get(os.getpid())
            if own is not None:
                own.counts[kind] = max(own.counts[kind] - 1, 0)
                own.write(memory)

    def note_alive(self) -> None:
        """Renew this process's row."""
        with self.shared as memory:
            own = living_rows(memory).get(os.getpid())
            if own is not None:
                own.write(memory)

    def count(self, kind: int) -> int:
        """Return the number of a *kind*, over all processes."""
        with self.shared as memory:
            return sum(row.counts[kind] for row in living_rows(memory).values())


@dataclass
class Row:
    """The counts of one process, and their place in memory."""

    place: int
    process: int
    counts: list[int]

    def write(self, memory: mmap) -> None:
        now = time.monotonic()
        ROW.pack_into(memory, self.place, self.process, *self.counts, now)


def living_rows(memory: mmap) -> dict[int, Row]:
    """Return the rows of running processes, by process id."""
    found = {}
    for number in range(MAX_PROCESSES):
        place = number * ROW.size
        process, streams, waiting, seen_at = ROW.unpack_from(memory, place)
        is_fresh = time.monotonic() - seen_at < SECONDS_TO_LIVE
        # The own row counts, even if this process could not renew it in time.
        if process == os.getpid() or (process and is_fresh and runs(process)):
            found[process] = Row(place, process, [streams, waiting])
    return found


def free_row(memory: mmap, living: dict[int, Row]) -> Row | None:
    taken = {row.place for row in living.values()}
    places = (number * ROW.size for number in range(MAX_PROCESSES))
    place = next((place for place in places if place not in taken), None)
    return None if place is None else Row(place, os.getpid(), [0, 0])


def runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

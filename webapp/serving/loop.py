"""
Waits for many connections at the price of those where something happens.

The loop that comes with waitress asks each connection, before each wait, whether it
wants to read or to write: a thousand that are idle cost a millisecond each time. Here
only those are asked that a thread works for or that something has happened to.
"""

import select
from typing import Protocol

from waitress import wasyncore

READS = select.POLLIN | select.POLLPRI
WRITES = select.POLLOUT


class Watchable(Protocol):
    """What waitress has the loop watch: listener, trigger, connections."""

    accepting: bool

    def readable(self) -> object: ...
    def writable(self) -> object: ...


class Loop:
    """The file descriptors of one process, in *watched*, which waitress keeps."""

    def __init__(self) -> None:
        self.watched: dict[int, Watchable] = {}
        self.poller = select.epoll()
        self.wanted: dict[int, tuple[Watchable, int]] = {}
        self.moving: set[int] = set()
        """Those whose wish may have changed since they were asked."""

    def turn(self, seconds: float) -> None:
        """Wait until something happens, at most so long, and handle it."""
        for number in list(self.moving):
            self.ask(number)
        for number, flags in self.poller.poll(seconds):
            self.moving.add(number)
            if number in self.watched:
                wasyncore.readwrite(self.watched[number], flags)

    def look_at_all(self) -> None:
        """Ask all, since somebody changed one from outside, or one was closed."""
        self.moving.update(self.watched, self.wanted)

    def ask(self, number: int) -> None:
        """Ask one what it waits for, and wait for that."""
        watched = self.watched.get(number)
        before = self.wanted.get(number)
        if before is not None and before[0] is not watched:
            # It was closed, which took its number out of the poller; another one may
            # have got the number since.
            self.forget(number)
            before = None
        if watched is None:
            self.moving.discard(number)
            return
        flags = READS if watched.readable() else 0
        if watched.writable() and not watched.accepting:
            flags |= WRITES
        if before is None:
            self.poller.register(number, flags)
        elif before[1] != flags:
            self.poller.modify(number, flags)
        self.wanted[number] = watched, flags
        # One that neither reads nor waits to be read is worked for: a thread may
        # change what it wants, and wakes this loop when it has.
        if flags == READS:
            self.moving.discard(number)

    def forget(self, number: int) -> None:
        self.wanted.pop(number, None)
        try:
            self.poller.unregister(number)
        except OSError:
            return

    def close(self) -> None:
        self.poller.close()

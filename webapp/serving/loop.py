"""
The loop that waits for many connections; idle ones cost nothing.

The loop of waitress asks each connection, before each wait, whether it wants to read or
write: a thousand idle ones cost a millisecond each time. This one asks only those that
a thread works for or that had an event.
"""

import select
from typing import Protocol

from waitress import wasyncore

READS = select.POLLIN | select.POLLPRI
WRITES = select.POLLOUT


class Watchable(Protocol):
    """A dispatcher of waitress: listener, trigger or connection."""

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
        """Those whose interest in reading or writing may have changed."""

    def turn(self, seconds: float) -> None:
        """Wait for events, at most so many *seconds*, and handle them."""
        for number in list(self.moving):
            self.ask(number)
        for number, flags in self.poller.poll(seconds):
            self.moving.add(number)
            if number in self.watched:
                wasyncore.readwrite(self.watched[number], flags)

    def look_at_all(self) -> None:
        """Ask all again: a thread changed one, or one was closed."""
        self.moving.update(self.watched, self.wanted)

    def ask(self, number: int) -> None:
        """Ask one whether it reads or writes, and poll it for that."""
        watched = self.watched.get(number)
        before = self.wanted.get(number)
        if before is not None and before[0] is not watched:
            # It was closed, which removed its number from the poller; another one may
            # have that number now.
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
        # If it neither reads nor writes, a thread works for it, may change that, and
        # then wakes this loop.
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

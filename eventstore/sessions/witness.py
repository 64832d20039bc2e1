"""
Whether the server has ended a statement whose answer has not come.

Nobody can tell a slow answer from one that is lost, where a proxy or the kernel's own
socket acknowledges all that is sent. The server can: it tells others which of its
sessions are at work. So it is asked by a connection of its own.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

import psycopg
from psycopg.abc import PQGen

from eventstore.sessions.looking import Nature

T = TypeVar("T")

FIRST_LOOK = 1.0
"""Seconds without an answer after which the server is asked."""
SECOND_LOOK = 0.4
"""Seconds after which it is asked once more: the answer may be on its way."""
MAX_PAUSE = 10.0
SECONDS_FOR_A_LOOK = 1.0

STATE = """
    SELECT state, state_change::text FROM pg_catalog.pg_stat_activity WHERE pid = %s
"""
END = """
    SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
    WHERE pid = %s AND state LIKE 'idle%%' AND state_change::text = %s
"""
AT_WORK = "active"


class Brief(psycopg.Connection[Any]):
    """A connection for one short question."""

    def wait(
        self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None
    ) -> T:
        return super().wait(gen, interval, timeout or SECONDS_FOR_A_LOOK)


class Witness:
    """
    Asks the server of one session, by connections that *connect* opens.

    Each look has a connection of its own, which is closed at once; of one process one
    looks at a time, lest a server that is slow is asked by everybody.
    """

    looking: ClassVar = threading.Lock()

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self.connect = connect
        self.begin()

    def begin(self) -> None:
        """A new silence begins."""
        self.next_look = FIRST_LOOK
        self.ended_at: str | None = None

    def sees_end(self, nature: Nature, silence: float) -> bool:
        """
        Return whether the server has ended what was asked, *silence* seconds ago.

        Then the session is ended there, too, with the locks that it holds.
        """
        if silence < self.next_look or not self.looking.acquire(blocking=False):
            return False
        try:
            return self.look(nature, silence)
        except psycopg.Error:
            # No way to the server at all, or none that is free.
            self.next_look = silence + FIRST_LOOK
            return False
        finally:
            self.looking.release()

    def look(self, nature: Nature, silence: float) -> bool:
        with self.connect() as connection:
            found = connection.execute(STATE, (nature.pid,)).fetchone()
            if found is None:
                return True
            state, changed_at = found
            if state is None or not state.startswith("idle"):
                # It is at work; or the server does not tell.
                self.ended_at = None
                self.next_look = silence + min(max(silence, FIRST_LOOK), MAX_PAUSE)
                return False
            if self.ended_at != changed_at:
                self.ended_at = changed_at
                self.next_look = silence + SECOND_LOOK
                return False
            with suppress(psycopg.Error):
                connection.execute(END, (nature.pid, changed_at))
            return True


def let_look() -> None:
    """Make the lock again: a thread of the parent may have held it at the fork."""
    Witness.looking = threading.Lock()


os.register_at_fork(after_in_child=let_look)

"""The heartbeat of a process: a thread that writes to PostgreSQL that it lives."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg

from eventstore.heartbeats.heartbeats import Beat, beat, end_beat
from eventstore.sessions.session import Session
from tasks.shop.connections import opener

log = logging.getLogger(__name__)

SECONDS_BETWEEN_BEATS = 0.5
SECONDS_BETWEEN_LOOKS = 0.1

Telling = Callable[[], Beat]


def name_of(role: str) -> str:
    """Return the name of this process, unique among all."""
    return f"{role}:{socket.gethostname()}:{os.getpid()}"


class Heart:
    """
    A heartbeat on a connection of its own: an exhausted pool is no sign of death.

    *tell* returns what a beat writes; *look* is called between beats. If the database
    is away, the next beat tries again.
    """

    def __init__(
        self, database_url: str, role: str, tell: Telling, look: Callable[[], None]
    ) -> None:
        self.open_one = opener(database_url, role)
        self.tell = tell
        self.look = look
        self.connection: Session | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.live, name="heart", daemon=True)

    def start(self) -> "Heart":
        self.thread.start()
        return self

    def stop(self) -> None:
        """End, and take the last beat back."""
        self.stopped.set()
        if self.thread.is_alive():
            self.thread.join(2)

    def live(self) -> None:
        looks = round(SECONDS_BETWEEN_BEATS / SECONDS_BETWEEN_LOOKS)
        while not self.stopped.is_set():
            self.try_to_beat()
            for _ in range(looks):
                if self.stopped.wait(SECONDS_BETWEEN_LOOKS):
                    break
                self.look()
        if self.connection is not None:
            with suppress(psycopg.Error):
                end_beat(self.connection, self.tell().process)
            self.connection.close()

    def try_to_beat(self) -> None:
        try:
            is_new = self.connection is None
            if self.connection is None:
                self.connection = self.open_one()
            beat(self.connection, self.tell(), is_new=is_new)
        except psycopg.Error as error:
            if self.connection is not None:
                log.warning("no heartbeat error=%s", type(error).__name__)
                self.connection.close()
            self.connection = None

"""
Keep a lease: a thread uses the connection of a runner while it decides.

The server ends a session that holds a stream and is silent for three seconds (`take`
sets its `idle_session_timeout`), and so releases the stream's lock. A process that is
stopped, frozen or cut off is silent. For one that decides for long, this thread sends
`SELECT 1` each second.
"""

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.pq import PipelineStatus, TransactionStatus

log = logging.getLogger(__name__)

SECONDS_BETWEEN = 1.0
"""From one `SELECT 1` to the next; the server waits for three."""
MAX_SECONDS_TO_ANSWER = 3.0
"""Seconds after which the server has ended the session, or cannot be reached."""


class Lease:
    """
    A connection that a drain uses.

    Its psycopg lock excludes the thread and the drain from each other. It is held from
    sending to the answer.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.is_over = False
        self.asked_at = 0.0
        self.why_lost = ""

    def ask(self) -> bool:
        """Send `SELECT 1` if the session is idle; return whether an answer comes."""
        # Otherwise a statement is running, and the session is not idle.
        if not self.connection.lock.acquire(blocking=False):
            return False
        with suppress(psycopg.Error):
            line = self.connection.pgconn
            if (
                not self.is_over
                and line.transaction_status == TransactionStatus.IDLE
                and line.pipeline_status == PipelineStatus.OFF
            ):
                line.send_query(b"SELECT 1")
                line.flush()
                self.asked_at = time.monotonic()
                return True
        self.connection.lock.release()
        return False

    def has_ended(self) -> bool:
        """Read the available data; return whether the answer is complete or lost."""
        line = self.connection.pgconn
        try:
            line.consume_input()
            while not line.is_busy():
                result = line.get_result()
                if result is None:
                    return True
                # The error that ends the session is read here, and nowhere else.
                self.why_lost = result.error_message.decode(errors="replace").strip()
        except psycopg.Error:
            # The drain's next statement finds the connection closed.
            return True
        return False

    def cut(self) -> None:
        """Close the socket to a silent server, so that the drain gets an error."""
        with suppress(psycopg.Error, OSError):
            descriptor = os.dup(self.connection.pgconn.socket)
            with socket.socket(fileno=descriptor) as end:
                end.shutdown(socket.SHUT_RDWR)


class Leases:
    """All leases of this process, and the thread that keeps them."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.held: dict[Lease, None] = {}
        self.thread = threading.Thread(target=self.keep, name="lease", daemon=True)
        self.thread.start()

    def keep(self) -> None:
        """Send in each session every second, for ever; answers may take longer."""
        asked: list[Lease] = []
        while True:
            next_at = time.monotonic() + SECONDS_BETWEEN
            try:
                self.keep_until(next_at, asked)
            except Exception:
                # A command that takes all memory makes any other allocation fail. Open
                # answers are read in the next round.
                log.exception("leases were not kept for a moment")
            time.sleep(max(0.0, next_at - time.monotonic()))

    def keep_until(self, next_at: float, asked: list[Lease]) -> None:
        """Send to those not *asked* yet; read until all have answered, or *next_at*."""
        for lease in list(self.held):
            if lease not in asked and lease.ask():
                asked.append(lease)
        while asked:
            rest = max(0.0, next_at - time.monotonic())
            listen(asked, rest)
            if not rest:
                return


def listen(asked: list[Lease], seconds: float) -> None:
    """Wait at most *seconds* for answers; remove from *asked* those that have one."""
    waiting = select.poll()
    for lease in asked:
        with suppress(psycopg.Error):
            waiting.register(lease.connection.pgconn.socket, select.POLLIN)
    waiting.poll(seconds * 1000)
    now = time.monotonic()
    for lease in list(asked):
        if not lease.has_ended():
            if now - lease.asked_at < MAX_SECONDS_TO_ANSWER:
                continue
            lease.cut()
        asked.remove(lease)
        lease.connection.lock.release()


_leases: Leases | None = None


def leases() -> Leases:
    """Return those of this process: a forked process has no thread."""
    global _leases
    if _leases is None or _leases.pid != os.getpid():
        _leases = Leases()
    return _leases


@contextmanager
def keeping_lease(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """
    Send `SELECT 1` over *connection* each second in the block, whenever it is idle.

    For a session that holds a stream: without this the server ends it when it decides
    for longer than three seconds. It sends nothing in an open transaction.
    """
    held = leases().held
    lease = Lease(connection)
    held[lease] = None
    try:
        yield
    except psycopg.OperationalError as error:
        if lease.why_lost:
            error.add_note(lease.why_lost)
        raise
    finally:
        lease.is_over = True
        del held[lease]
        # From here the caller uses or closes the connection alone.
        with connection.lock:
            pass

"""
The process of the sender: a child of the relay, while there are webhooks.

The relay's other child, which runs commands, sees whether there are any. So a shop
without webhooks has no such process, and a receiver that hangs, or an answer that
takes all memory, is in nobody's way.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from ctypes import c_bool, c_double
from multiprocessing.context import ForkContext
from multiprocessing.process import BaseProcess

import psycopg
import sqlalchemy as sa

from tasks.app import limit_memory
from tasks.shop.connections import connect
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop
from tasks.webhooks.progress import has_active
from tasks.webhooks.sender import Sender
from tasks.webhooks.turn import take_turn

SECONDS_BETWEEN_TRIES = 1.0
MAX_SECONDS_STILL = 60.0
"""Seconds after which a sender that does not move is killed."""
SECONDS_TO_STOP = 10.0
STACK_BYTES = 512 * 1024
"""Of each thread: there may be some hundred, and the process's memory is limited."""

log = logger_of(__name__)


class SenderProcess:
    """
    The sender, as the relay keeps it: started when it is wanted, and when it dies.

    *wanted* and *moved_at* are shared with children: whether there are active webhooks,
    and when the sender last moved.
    """

    def __init__(self, context: ForkContext, wiring: Callable[[], Shop]) -> None:
        self.context = context
        self.wiring = wiring
        # Without locks: a child that is killed would take one with it.
        self.wanted: c_bool = context.RawValue(c_bool, False)
        self.moved_at: c_double = context.RawValue(c_double, 0.0)
        self.process: BaseProcess | None = None
        self.started_at = float("-inf")

    def tend(self) -> None:
        """Start it if it is wanted, and kill it if it does not move."""
        now = time.monotonic()
        if self.process is not None and self.process.is_alive():
            if now > self.moved_at.value + MAX_SECONDS_STILL:
                log.error("sender killed, which did not move")
                self.process.kill()
            return
        if self.process is not None:
            # It ends with 0 when there is nothing to send to.
            if self.process.exitcode:
                log.error("sender died", exitcode=self.process.exitcode)
            self.process = None
        if self.wanted.value and now > self.started_at + SECONDS_BETWEEN_TRIES:
            self.started_at = self.moved_at.value = now
            # It is noted again by the relay's child while there are webhooks.
            self.wanted.value = False
            self.process = self.context.Process(
                target=send, args=(self.wiring, self.moved_at, os.getpid())
            )
            self.process.start()

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.is_alive():
            self.process.terminate()

    def end(self) -> None:
        """End it, and wait until it has ended."""
        self.ask_to_end()
        if self.process is not None:
            self.process.join(SECONDS_TO_STOP)
            self.process.kill()
            self.process.join()


def send(wiring: Callable[[], Shop], moved_at: c_double, parent: int) -> None:
    """Send until there is nothing to send to; what the process does."""
    stop = StopRequest(parent, moved_at)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    limit_memory()
    threading.stack_size(STACK_BYTES)
    shop = wiring()
    has_ended = False
    while not stop.is_set() and not has_ended:
        try:
            has_ended = send_in_turn(shop, stop)
        except (psycopg.Error, sa.exc.DBAPIError) as error:
            # What was under way is sent again: nobody can tell how it ended.
            log.warning("sending broke off", error=type(error).__name__)
        stop.wait(SECONDS_BETWEEN_TRIES)
    # Not by way of the threads: one that waits for an answer would be waited for.
    os._exit(0)


class StopRequest(threading.Event):
    """Set by a signal, or when the parent is gone; being asked shows that we move."""

    def __init__(self, parent: int, moved_at: c_double) -> None:
        super().__init__()
        self.parent = parent
        self.moved_at = moved_at

    def is_set(self) -> bool:
        self.moved_at.value = time.monotonic()
        return super().is_set() or os.getppid() != self.parent


def send_in_turn(shop: Shop, stop: threading.Event) -> bool:
    """
    Send if nobody else does; return whether there is nothing to send to.

    Raises the driver's errors.
    """
    settings = shop.settings
    name = {"application_name": "recount webhooks"}
    with closing(connect(settings.database_url, settings.role, **name)) as session:
        if not take_turn(session):
            return not has_active(session)
        sender = Sender(shop, session)
        try:
            sender.run(stop)
        except (psycopg.Error, sa.exc.DBAPIError):
            # The same event must not be under way twice at a time.
            for channel in sender.channels.values():
                channel.threads.shutdown(wait=True, cancel_futures=True)
            raise
        return True

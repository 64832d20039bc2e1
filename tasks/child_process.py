"""A child that the relay keeps beside the one that runs commands."""

import os
import threading
import time
from collections.abc import Callable
from ctypes import c_bool, c_double
from multiprocessing.context import ForkContext
from multiprocessing.process import BaseProcess

from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop

SECONDS_BETWEEN_TRIES = 1.0
MAX_SECONDS_STILL = 60.0
"""Seconds after which a child that does not move is killed."""
SECONDS_TO_STOP = 10.0
SECONDS_BETWEEN_SIGNS = 1.0
"""Seconds between two signs of life of a child that is at a long piece of work."""

log = logger_of(__name__)


class ChildProcess:
    """
    A child of the relay: started when it is wanted, and when it dies.

    *name* is what logs call it. *work* is what it does, with the wiring, the time that
    it notes when it moves, and its parent's process id; it returns when there is
    nothing to do. *wanted* and *moved_at* are shared with children.
    """

    def __init__(
        self,
        context: ForkContext,
        wiring: Callable[[], Shop],
        name: str,
        work: Callable[[Callable[[], Shop], c_double, int], None],
        *,
        is_always_wanted: bool = False,
    ) -> None:
        self.context = context
        self.wiring = wiring
        self.name = name
        self.work = work
        self.is_always_wanted = is_always_wanted
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
                log.error("child killed, which did not move", child=self.name)
                self.process.kill()
            return
        if self.process is not None:
            # It ends with 0 when there is nothing to do.
            if self.process.exitcode:
                log.error("child died", child=self.name, exitcode=self.process.exitcode)
            self.process = None
        is_wanted = self.wanted.value or self.is_always_wanted
        if is_wanted and now > self.started_at + SECONDS_BETWEEN_TRIES:
            self.started_at = self.moved_at.value = now
            # It is noted again while there is something to do.
            self.wanted.value = False
            self.process = self.context.Process(
                target=self.work, args=(self.wiring, self.moved_at, os.getpid())
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


class StopRequest(threading.Event):
    """Set by a signal, or when the parent is gone; being asked shows that we move."""

    def __init__(self, parent: int, moved_at: c_double) -> None:
        super().__init__()
        self.parent = parent
        self.moved_at = moved_at
        self.asked_at = time.monotonic()

    def is_set(self) -> bool:
        self.asked_at = self.moved_at.value = time.monotonic()
        return super().is_set() or os.getppid() != self.parent

    def give_signs_of_life(self, seconds: float) -> None:
        """
        Show for *seconds* that we move after being asked, from a thread of its own.

        It is for work of which a single statement may take longer than a child may be
        still. One that hangs for good is killed all the same, after *seconds*.
        """

        def give_signs() -> None:
            while True:
                time.sleep(SECONDS_BETWEEN_SIGNS)
                if time.monotonic() < self.asked_at + seconds:
                    self.moved_at.value = time.monotonic()

        threading.Thread(target=give_signs, daemon=True).start()

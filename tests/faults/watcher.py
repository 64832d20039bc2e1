"""Samples of the tables while a load runs, also across crashes of the server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from tests.faults.checker import Verdict, Watch

EVERY = 0.5
"""Seconds from one sample to the next."""


class Watcher:
    """Takes samples in a thread of its own, while `watching`."""

    def __init__(self, engine: sa.Engine) -> None:
        url = engine.url.set(drivername="postgresql")
        self.url = url.render_as_string(hide_password=False)
        self.failure: BaseException | None = None
        self.watch = Watch(self.connect())

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=True)

    @contextmanager
    def watching(self) -> Iterator[None]:
        stopped = threading.Event()
        thread = threading.Thread(target=self.guarded, args=(stopped,))
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    def guarded(self, stopped: threading.Event) -> None:
        try:
            self.sample_until(stopped)
        except BaseException as failure:
            self.failure = failure

    def sample_until(self, stopped: threading.Event) -> None:
        while not stopped.wait(EVERY):
            try:
                self.watch.sample()
            except psycopg.Error:
                # The server is away, or has no connection left: the next one tells.
                self.connect_again()

    def connect_again(self) -> None:
        self.watch.connection.close()
        try:
            self.watch.connection = self.connect()
        except psycopg.Error:
            return

    def verdict(self) -> Verdict:
        """
        Return what was seen to change, or to go back; the server must be there.

        Raises what has kept it from looking.
        """
        if self.failure is not None:
            raise self.failure
        self.connect_again()
        verdict = self.watch.verdict()
        self.watch.connection.close()
        return verdict

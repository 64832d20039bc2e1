"""
The process that writes the stores: a child of the relay, while the settings name any.

Each store has a thread and a session of its own, whose lock keeps other writers out: a
store that is slow or away is in nobody's way.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import closing
from ctypes import c_double
from dataclasses import dataclass, field

import psycopg
import sqlalchemy as sa

from eventstore.errors.stores import OutdatedWriter
from eventstore.stores.registry import take_turn
from eventstore.stores.row_store import RowStore
from eventstore.stores.writer import Writer
from tasks.app import limit_memory
from tasks.child_process import SECONDS_BETWEEN_TRIES, StopRequest
from tasks.shop.connections import connect
from tasks.shop.logging import logger_of
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tasks.stores.row_stores import row_stores

MAX_SECONDS_OF_STEP = 60.0
"""Seconds after which the thread of a store counts as hanging."""
SECONDS_BETWEEN_LOOKS = 0.5
MAX_SILENCE = "60s"
"""Until PostgreSQL ends the session of a writer that is frozen, and frees its lock."""

log = logger_of(__name__)


@dataclass(slots=True)
class StoreThread:
    """
    The thread that writes one store, as long as the process lives.

    *moved_at* is when it last began a turn, in seconds of the monotonic clock.
    """

    store: RowStore
    settings: Settings
    stop: threading.Event
    moved_at: float = field(default_factory=time.monotonic)

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self.run, name=self.store.name, daemon=True)
        thread.start()
        return thread

    def run(self) -> None:
        """Write the store when nobody else does, until the process ends."""
        while not self.stop.is_set():
            self.moved_at = time.monotonic()
            try:
                self.write_in_turn()
            except OutdatedWriter as error:
                log.warning("store is written by another", error=str(error))
            except (psycopg.Error, sa.exc.DBAPIError) as error:
                log.warning(
                    "writing broke off",
                    store=self.store.name,
                    error=type(error).__name__,
                )
            except Exception:
                # A bug costs this store its freshness, and the others nothing.
                log.exception("writing failed", store=self.store.name)
            self.stop.wait(SECONDS_BETWEEN_TRIES)

    def write_in_turn(self) -> None:
        settings = self.settings
        name = {"application_name": f"recount store {self.store.name}"}
        with closing(connect(settings.database_url, settings.role, **name)) as session:
            session.execute(f"SET idle_session_timeout = '{MAX_SILENCE}'")
            if take_turn(session, self.store.name):
                writer = Writer(self.store, session, moved=self.note_move)
                writer.run(lambda: False, self.stop)

    def note_move(self) -> None:
        self.moved_at = time.monotonic()


def write_stores(wiring: Callable[[], Shop], moved_at: c_double, parent: int) -> None:
    """Write all stores until the relay ends; what the process does."""
    stop = StopRequest(parent, moved_at)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    limit_memory()
    shop = wiring()
    threads = start_threads(shop, stop)
    while not stop.is_set():
        stop.wait(SECONDS_BETWEEN_LOOKS)
        if any(
            time.monotonic() > thread.moved_at + MAX_SECONDS_OF_STEP
            for thread in threads
        ):
            # The relay starts another process.
            log.error("a store hangs: the process ends")
            os._exit(1)
    # Not by way of the threads: one that waits for an answer would be waited for.
    os._exit(0)


def start_threads(shop: Shop, stop: StopRequest) -> list[StoreThread]:
    """Start a thread for each store, once PostgreSQL has told who the shop is."""
    while not stop.is_set():
        try:
            stores = list(row_stores(shop.settings, shop.identity))
        except (psycopg.Error, sa.exc.SQLAlchemyError):
            stop.wait(SECONDS_BETWEEN_TRIES)
            continue
        # The threads' flag is another one: asking ours shows that the main one moves.
        flag = threading.Event()
        threads = [StoreThread(store, shop.settings, flag) for store in stores]
        for thread in threads:
            thread.start()
        return threads
    return []

"""The writer of a store: one process, by a lock, for all read models that it has."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.changes import NewestChange, find_newest
from eventstore.projections.generations import live_generations
from eventstore.projections.parked_streams import count_parked
from eventstore.projections.tables import name_of
from eventstore.stores import registry
from eventstore.stores.feeder import SECONDS_BETWEEN_PURGES, Feeder
from eventstore.stores.registry import Orders
from eventstore.stores.row_store import RowStore
from eventstore.subscriptions.lag import find_standings
from eventstore.subscriptions.standstill import AFTER

log = logging.getLogger(__name__)

PAUSE_WHEN_BUSY = 0.02
"""Seconds between two looks for changes while there are some."""
PAUSE = 0.2
SECONDS_BUSY = 2.0
"""After a change; a shop where nothing happens is asked less often."""
SECONDS_BETWEEN_ORDERS = 0.5
MAX_SECONDS_OF_REST = 5.0
"""Between two tries at a store that gives no answer."""


class Writer:
    """
    Writes the copies of one store.

    *connection* is in autocommit, and holds the lock that `take_turn` took.
    """

    def __init__(
        self,
        store: RowStore,
        connection: psycopg.Connection[Any],
        *,
        seconds_between_purges: float = SECONDS_BETWEEN_PURGES,
    ) -> None:
        self.store = store
        self.connection = connection
        self.seconds_between_purges = seconds_between_purges
        self.names = [projection.name for projection in store.projections]
        self.terms = {
            name: registry.begin_term(connection, store.name, name)
            for name in self.names
        }
        self.feeders: list[Feeder] = []
        self.newest: dict[str, NewestChange] = {}
        self.orders: dict[str, Orders] = {}
        self.parked: dict[str, int] = {}
        self.next_orders = float("-inf")
        self.busy_until = 0.0
        self.failures = 0

    def run(self, is_over: Callable[[], bool], stop: threading.Event) -> None:
        """
        Write until *stop* is set or *is_over*; raise the errors of PostgreSQL.

        A store that does not answer is tried again. Raises OutdatedWriter when another
        process has taken over.
        """
        while not stop.is_set() and not is_over():
            try:
                pause = self.turn()
                self.failures = 0
            except (StoreAway, CopyMoved) as error:
                pause = self.rest_after(error)
            stop.wait(pause)

    def turn(self) -> float:
        """Give each read model a step; return the seconds until the next turn."""
        now = time.monotonic()
        if not self.feeders:
            self.feeders = [
                Feeder(
                    self.store,
                    projection,
                    self.connection,
                    term=self.terms[projection.name],
                    seconds_between_purges=self.seconds_between_purges,
                )
                for projection in self.store.projections
            ]
        if now >= self.next_orders:
            self.next_orders = now + SECONDS_BETWEEN_ORDERS
            self.orders = dict(registry.find_orders(self.connection, self.store.name))
            self.parked = self.count_old()
        newest = find_newest(self.connection, self.names)
        has_more = False
        for feeder in self.feeders:
            name = feeder.name
            orders = self.orders.get(name, Orders(None, 0))
            has_more |= feeder.step(newest.get(name), orders, self.parked.get(name, 0))
            if orders.wanted is not None:
                self.orders[name] = orders._replace(wanted=None)
        if has_more or newest != self.newest:
            self.newest = newest
            self.busy_until = now + SECONDS_BUSY
        if has_more:
            return 0.0
        return PAUSE_WHEN_BUSY if now < self.busy_until else PAUSE

    def count_old(self) -> dict[str, int]:
        """Return how many streams are parked, and one more for who stands still."""
        parked = count_parked(self.connection)
        count = {name: found.number for name, found in parked.items()}
        live = live_generations(self.connection)
        names = {
            name_of(name, live[name].number): name
            for name in self.names
            if name in live
        }
        for reader in find_standings(self.connection, names):
            is_late = (reader.seconds or 0.0) >= AFTER.total_seconds()
            if reader.standstill is not None or is_late:
                count[names[reader.name]] = count.get(names[reader.name], 0) + 1
        return count

    def rest_after(self, error: StoreAway | CopyMoved) -> float:
        """Note why the store is not written; return the seconds until the next try."""
        self.failures += 1
        if self.failures == 1:
            log.warning("store %s: %s", self.store.name, error)
        # A step that broke off may have been done; all is read again from the store.
        self.feeders = []
        for name in self.names:
            registry.note_error(self.connection, self.store.name, name, str(error))
        if isinstance(error, CopyMoved):
            return 0.0 if self.failures == 1 else PAUSE
        return min(0.1 * 2.0 ** min(self.failures, 10), MAX_SECONDS_OF_REST)

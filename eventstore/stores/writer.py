"""The writer of a store: one process, by a lock, for all read models that it has."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

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

    *connection* is in autocommit, and holds the lock that `take_turn` took. *moved* is
    called before each step, to show that it does not hang.
    """

    def __init__(
        self,
        store: RowStore,
        connection: psycopg.Connection[Any],
        *,
        seconds_between_purges: float = SECONDS_BETWEEN_PURGES,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.connection = connection
        self.seconds_between_purges = seconds_between_purges
        self.moved = moved
        self.projections = {one.name: one for one in store.projections}
        self.names = list(self.projections)
        self.terms = {
            name: registry.begin_term(connection, store.name, name)
            for name in self.names
        }
        self.by_name: dict[str, Feeder] = {}
        self.rests: dict[str, Rest] = {}
        self.newest: dict[str, NewestChange] = {}
        self.orders: dict[str, Orders] = {}
        self.parked: dict[str, int] = {}
        self.next_orders = float("-inf")
        self.busy_until = 0.0
        self.failures = 0

    @property
    def feeders(self) -> Sequence[Feeder]:
        return list(self.by_name.values())

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
        """
        Give each read model a step; return the seconds until the next turn.

        One that fails rests, and the others go on. Raises its error if all have failed.
        """
        now = time.monotonic()
        if now >= self.next_orders:
            self.next_orders = now + SECONDS_BETWEEN_ORDERS
            self.orders = dict(registry.find_orders(self.connection, self.store.name))
            self.parked = self.count_old()
        newest = find_newest(self.connection, self.names)
        has_more = False
        errors: list[StoreAway | CopyMoved] = []
        due = [name for name in self.names if now >= self.rest_of(name).until]
        for name in due:
            self.moved()
            try:
                has_more |= self.give_step(name, newest.get(name))
                self.rests.pop(name, None)
            except (StoreAway, CopyMoved) as error:
                self.note_failure(name, error)
                errors.append(error)
        if errors and len(errors) == len(due):
            self.rests.clear()
            raise errors[0]
        if has_more or newest != self.newest:
            self.newest = newest
            self.busy_until = now + SECONDS_BUSY
        if has_more:
            return 0.0
        return PAUSE_WHEN_BUSY if now < self.busy_until else PAUSE

    def give_step(self, name: str, newest: NewestChange | None) -> bool:
        """Have one read model's feeder do a step; return whether there is more."""
        feeder = self.by_name.get(name)
        if feeder is None:
            feeder = self.by_name[name] = Feeder(
                self.store,
                self.projections[name],
                self.connection,
                term=self.terms[name],
                seconds_between_purges=self.seconds_between_purges,
            )
        orders = self.orders.get(name, NO_ORDERS)
        has_more = feeder.step(newest, orders, self.parked.get(name, 0))
        if orders.wanted is not None:
            self.orders[name] = orders._replace(wanted=None)
        return has_more

    def rest_of(self, name: str) -> "Rest":
        return self.rests.get(name, NO_REST)

    def note_failure(self, name: str, error: StoreAway | CopyMoved) -> None:
        """Note why a read model is not written, and let it rest for a while."""
        failures = self.rest_of(name).failures + 1
        pause = (
            0.0
            if isinstance(error, CopyMoved) and failures == 1
            else pause_after(failures)
        )
        self.rests[name] = Rest(failures, time.monotonic() + pause)
        # A step that broke off may have been done; all is read again from the store.
        self.by_name.pop(name, None)
        registry.note_error(self.connection, self.store.name, name, str(error))

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
        """Return the seconds until the next try, after all read models have failed."""
        self.failures += 1
        if self.failures == 1:
            log.warning("store %s: %s", self.store.name, error)
        if isinstance(error, CopyMoved):
            return 0.0 if self.failures == 1 else PAUSE
        return pause_after(self.failures)


class Rest(NamedTuple):
    """How often a read model failed in a row, and until when it rests (monotonic)."""

    failures: int
    until: float


NO_REST = Rest(0, float("-inf"))
NO_ORDERS = Orders(None, None, 0)


def pause_after(failures: int) -> float:
    """Return the seconds of rest after so many failures in a row."""
    pause: float = 0.1 * 2 ** min(failures, 10)
    return min(pause, MAX_SECONDS_OF_REST)

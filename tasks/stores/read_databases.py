"""The databases that queries are sent to: those of the settings, and the shop's own."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from tasks.broker.circuit_breaker import Breaker
from tasks.shop.identity import identity_of
from tasks.shop.settings import Settings
from tasks.stores.lending import MAX_REST, LendingDatabase
from tasks.stores.replica import replica_at
from tasks.stores.second_postgres import second_postgres_at
from tasks.stores.store_state import ReadStore

PRIMARY = "primary"


@dataclass
class ReadDatabases:
    """
    The stores, in the order in which they are asked, and the primary behind them.

    Make it before the fork: the processes share what is known of servers that are away.
    """

    stores: Sequence[ReadStore]
    primary: LendingDatabase
    identity: str | None = None

    def find_identity(self) -> str | None:
        """Return the shop's identity, None as long as the primary never answered."""
        if self.identity is None:
            with (
                suppress(sa.exc.SQLAlchemyError, psycopg.Error),
                self.primary.lend() as connection,
            ):
                self.identity = identity_of(driver_connection(connection))
        return self.identity

    def whole(self) -> Sequence[ReadStore]:
        """Return the stores that have every table of the shop."""
        return [store for store in self.stores if store.has_everything]

    def dispose(self, *, close: bool) -> None:
        """Drop the connections of the stores; see `ReadStore.dispose`."""
        for store in self.stores:
            store.dispose(close=close)


def read_databases(
    settings: Settings, primary: Callable[[], sa.Engine]
) -> ReadDatabases | None:
    """
    Return the databases of *settings*; None where the shop has only its own.

    *primary* returns the pool of that one, in autocommit.
    """
    stores: list[ReadStore] = []
    # One failure is enough for a store, since another database answers; what only the
    # primary can answer is worth a second attempt.
    own = LendingDatabase(PRIMARY, primary, Breaker(longest_rest=MAX_REST))
    if settings.read_database_url:
        stores.append(second_postgres_at(settings.read_database_url))
    if settings.replica_database_url:
        stores.append(replica_at(settings.replica_database_url))
    return ReadDatabases(stores, own) if stores else None

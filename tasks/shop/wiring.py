"""The wiring: the parts of the shop, put together once a process."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.errors.stores import StoreAway
from eventstore.journal.runner import Limits
from eventstore.projections.generations import ensure_generation
from eventstore.projections.projection import Projection
from eventstore.subscriptions.process_manager import ProcessManager, begin_acting
from readmodels import ALL as READ_MODELS
from tasks.broker.circuit_breaker import Breaker
from tasks.heartbeat.pulse import Pulses
from tasks.shop import deciders
from tasks.shop.connections import lend, pool_of
from tasks.shop.identity import identity_of
from tasks.shop.migrations import SchemaMismatch, mismatch_of
from tasks.shop.prefetch import PrefetchWindow, RecentlyFinished
from tasks.shop.process_managers import process_managers
from tasks.shop.settings import Settings, load_settings
from tasks.stores.asked_stores import AskedStores, asked_stores
from tasks.stores.read_databases import ReadDatabases, read_databases


@dataclass
class Shop:
    """The parts of the order desk, the same for each of its processes."""

    settings: Settings
    slices: Sequence[Decider] = deciders.ALL
    projections: Sequence[Projection] = READ_MODELS
    limits: Limits = field(default_factory=Limits)
    pace: PrefetchWindow = field(default_factory=PrefetchWindow)
    done: RecentlyFinished = field(default_factory=RecentlyFinished)
    pulses: Pulses = field(default_factory=Pulses)
    breaker: Breaker = field(default_factory=Breaker)
    reads: ReadDatabases | None = field(init=False)
    stores: AskedStores = field(init=False)

    def __post_init__(self) -> None:
        """Make what the processes share, before the fork; nothing is opened yet."""
        self.reads = read_databases(self.settings, lambda: self.autocommitting)
        self.stores = asked_stores(self.settings, self.find_identity)

    @cached_property
    def deciders(self) -> Deciders:
        """The deciders of all categories, with the master keys of personal fields."""
        deciders = Deciders(self.slices, self.settings.master_keys)
        return deciders.keyed(self.settings.secret_key.encode())

    @cached_property
    def engine(self) -> sa.Engine:
        """This process's connection pool, made at its first use."""
        return pool_of(self.settings.database_url, self.settings.role)

    def close(self) -> None:
        """Close all connections; others are opened when they are needed."""
        self.engine.dispose()
        if self.reads is not None:
            self.reads.dispose(close=True)

    @contextmanager
    def of_owner(self) -> Iterator["Shop"]:
        """Lend the same shop, connected as the owner of the tables."""
        url = self.settings.admin_database_url or self.settings.database_url
        settings = replace(self.settings, database_url=url, role="admin")
        owner = replace(self, settings=settings)
        try:
            yield owner
        finally:
            owner.close()

    @cached_property
    def autocommitting(self) -> sa.Engine:
        """The same pool, for calls that are a transaction of their own."""
        return self.engine.execution_options(isolation_level="AUTOCOMMIT")

    def lent(
        self, *, keep_after: tuple[type[BaseException], ...] = ()
    ) -> AbstractContextManager[psycopg.Connection[Any]]:
        """
        Lend a connection in autocommit, for the engine.

        It is closed after an exception that is not in *keep_after*.
        """
        return lend(self.autocommitting.connect(), keep_after=keep_after)

    def transaction(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """Lend a connection in a transaction, rolled back after an exception."""
        return lend(self.engine.begin())

    def find_identity(self) -> str:
        """Return the shop's identity; where there are read databases without delay."""
        found = self.identity if self.reads is None else self.reads.find_identity()
        if found is None:
            raise StoreAway("any", "nobody knows yet which shop this is")
        return found

    @cached_property
    def identity(self) -> str:
        """The shop's identity in the names of its queues at the broker."""
        with self.lent() as connection:
            return identity_of(connection)

    @property
    def commands(self) -> Mapping[str, type]:
        """Every class of command that a client may send, by its name."""
        return self.deciders.offered

    @cached_property
    def process_managers(self) -> Sequence[ProcessManager]:
        """All process managers of the shop."""
        return process_managers(self.settings.unpaid_days, self.settings.timezone)

    def deploy_process_managers(self) -> None:
        """Create the subscriptions of new process managers, at the end of the log."""
        with self.lent() as connection:
            for process in self.process_managers:
                begin_acting(connection, process)

    def ensure_read_models(self) -> None:
        """Create missing read models, without rows: these come by catching up."""
        for projection in self.projections:
            ensure_generation(self.engine, projection)


_shop: Shop | None = None


def shop() -> Shop:
    """Return the wiring of this process."""
    global _shop
    if _shop is None:
        _shop = Shop(load_settings())
    return _shop


def use(other: Shop) -> None:
    """Replace this process's wiring by *other*, which may have other deciders."""
    global _shop
    _shop = other


def forget_connections() -> None:
    """
    Drop the connections inherited by a forked process, without closing them.

    Two processes that share a connection get each other's answers.
    """
    if _shop is not None and "engine" in vars(_shop):
        _shop.engine.dispose(close=False)
    if _shop is not None and _shop.reads is not None:
        _shop.reads.dispose(close=False)


def schema_mismatch(engine: sa.Engine) -> SchemaMismatch | None:
    """Return why the database's schema is not this code's, or None; without Alembic."""
    with engine.connect() as connection:
        if not connection.scalar(sa.text("SELECT to_regclass('alembic_version')")):
            return mismatch_of(())
        revisions = connection.scalars(
            sa.text("SELECT version_num FROM alembic_version")
        )
        return mismatch_of(revisions.all())


def schema_is_current(engine: sa.Engine) -> bool:
    return schema_mismatch(engine) is None

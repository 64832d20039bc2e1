"""A filled shop and the servers of its stores, each started when it is asked for."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import psycopg
import sqlalchemy as sa

from benchmarks.commanding.desk import Desk, Running
from benchmarks.commanding.servers import Servers
from benchmarks.storing import rows
from benchmarks.storing.changes import Changes
from eventstore.stores import registry
from eventstore.stores.row_store import RowStore
from eventstore.stores.writer import Writer
from tasks.shop.connections import connect, pool_of
from tasks.shop.setting_values import database_url
from tasks.shop.settings import Settings, settings_from
from tasks.stores.row_stores import row_stores
from tests.stores.servers import server as servers_of_stores
from tests.stores.servers.cache import CacheServer
from tests.stores.servers.documents import DocumentsServer
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.stores.servers.search import SearchServer
from tests.stores.servers.server import Server

S = TypeVar("S", bound=Server)

VARIABLES = {
    "hot": "CACHE_URL",
    "search": "SEARCH_URL",
    "documents": "DOCUMENTS_URL",
    "postgres": "READ_DATABASE_URL",
}
"""The variable that names a store to the shop."""
MAX_SECONDS_TO_START = 600.0
"""OpenSearch that is compiled well starts slowly, where others use the processors."""


class Stand:
    """All servers in *folder*; what was started ends with *stack*."""

    def __init__(self, folder: Path, servers: Servers, stack: ExitStack) -> None:
        self.folder = folder
        self.servers = servers
        self.stack = stack

    def begin(self, server: S) -> S:
        servers_of_stores.PATIENCE = MAX_SECONDS_TO_START
        self.stack.callback(server.close)
        server.start()
        return server

    @cached_property
    def cache(self) -> CacheServer:
        folder = self.make("cache")
        return self.begin(CacheServer(folder, settings={"maxmemory": "512mb"}))

    @cached_property
    def search(self) -> SearchServer:
        folder = self.make("search")
        return self.begin(SearchServer(folder, heap="1g", quick_start=False))

    @cached_property
    def documents(self) -> DocumentsServer:
        return self.begin(DocumentsServer(self.make("documents")))

    @cached_property
    def second(self) -> PostgresServer:
        return self.begin(PostgresServer(self.make("second")))

    @cached_property
    def replica(self) -> ReplicaServer:
        primary = self.servers.cluster.url.replace("/recount?", "/postgres?")
        return self.begin(ReplicaServer(self.make("replica"), primary))

    def make(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder

    def url_of(self, store: str) -> str:
        match store:
            case "hot":
                return self.cache.url
            case "search":
                return self.search.url
            case "documents":
                return self.documents.url
            case _:
                return self.second.url


class FilledShop:
    """A desk with so many orders, in a database of its own."""

    def __init__(self, stand: Stand, count: int) -> None:
        self.stand = stand
        self.count = count
        self.desk = Desk(stand.servers, projections=True)
        stand.stack.callback(self.desk.shop.engine.dispose)
        stand.stack.callback(self.desk.stop)
        self.owner = stand.stack.enter_context(self.desk.connect())
        rows.fill(self.owner, count)
        self.customers = count // rows.ORDERS_EACH + 1
        self.changes = Changes(self.owner, self.customers)

    @property
    def identity(self) -> str:
        return self.desk.shop.identity

    @cached_property
    def engine(self) -> sa.Engine:
        """The primary, as queries use it."""
        return engine_at(self.desk.environment["DATABASE_URL"])

    def replica_url(self) -> str:
        return self.stand.replica.url_for(self.desk.environment["DATABASE_URL"])

    def variables(self, *stores: str) -> Mapping[str, str]:
        """Return the variables that name these stores to the shop."""
        return {VARIABLES[one]: self.stand.url_of(one) for one in stores}

    def settings(self, *stores: str) -> Settings:
        """Return the settings of a relay that writes these stores."""
        named = {**self.desk.environment, **self.variables(*stores)}
        return settings_from(named, "relay")

    @contextmanager
    def open_store(self, name: str) -> Iterator[RowStore]:
        """Lend a client of a store."""
        [store] = row_stores(self.settings(name), self.identity)
        with closing(store):
            yield store

    @contextmanager
    def writer(self, name: str) -> Iterator[Writer]:
        """Lend the writer of a store, which has its lock."""
        with (
            self.open_store(name) as store,
            closing(connect(self.settings().database_url, "relay")) as session,
        ):
            assert registry.take_turn(session, name)
            yield Writer(store, session)

    def start(self, what: str, more: Mapping[str, str]) -> Running:
        """Start a process of the shop with some variables of its own."""
        kept = self.desk.environment
        self.desk.environment = {**kept, **more}
        try:
            if what == "web":
                self.desk.web()
                return self.desk.running[-1]
            return self.desk.start(what)
        finally:
            self.desk.environment = kept

    def end(self, *some: Running) -> None:
        for running in some:
            running.kill()
            self.desk.running.remove(running)


def engine_at(url: str) -> sa.Engine:
    """Return a pool of the database at *url*, as the web reads by it."""
    pool = pool_of(database_url(url), "reader", may_write=False)
    return pool.execution_options(isolation_level="AUTOCOMMIT")


def peaceful_connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    plain = sa.make_url(url).set(drivername="postgresql")
    return psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True)


@contextmanager
def stand_in(folder: Path) -> Iterator[Stand]:
    """Lend the shop's own servers, with folders for those of the stores."""
    os.chmod(folder, 0o711)
    with ExitStack() as stack:
        own = Servers(folder / "shop")
        stack.callback(own.destroy)
        own.start()
        yield Stand(folder, own, stack)

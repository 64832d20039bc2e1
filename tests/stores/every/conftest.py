"""Each store with a real server, and a shop whose rows it has."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import sqlalchemy as sa

from eventstore.projections.changes import NewestChange, RowChange, find_newest
from eventstore.projections.following import follow
from eventstore.projections.projection import Key, Projection
from eventstore.stores.registry import take_turn
from eventstore.stores.row_store import Checkpoint, Copy, RowStore, Shelf, StoredRow
from eventstore.stores.writer import Writer
from tasks.shop.connections import connect
from tasks.shop.setting_values import database_url
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tasks.stores.row_stores import row_stores
from tests.stores.servers.server import Server
from tests.support.databases import Databases, new_name
from tests.support.settings import settings_for

SERVERS = {
    "hot": "cache_server",
    "search": "search_server",
    "documents": "documents_server",
    "postgres": "second_postgres",
}
STORES = tuple(SERVERS)


@dataclass
class Kit:
    """A store on a *server*; *reopen* returns another client of the same store."""

    name: str
    server: Server
    reopen: Callable[[], RowStore]
    prepare: Callable[[], object]
    store: RowStore = field(init=False)
    opened: list[RowStore] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = self.open()

    def open(self) -> RowStore:
        """Return another client of the same store, closed after the test."""
        self.opened.append(self.reopen())
        return self.opened[-1]

    @property
    def may_lack_rows(self) -> bool:
        return self.store.may_lack_rows

    def serving(self, projection: Projection) -> Copy:
        """The copy that answers."""
        shelf = self.store.load_shelf(projection.name)
        assert shelf is not None
        assert shelf.serving is not None
        return shelf.serving

    def rows(self, projection: Projection, keys: list[Key]) -> dict[Key, StoredRow]:
        return dict(self.store.read(self.serving(projection), keys))


@dataclass(frozen=True, slots=True)
class Served:
    """
    A store by its name, on a server, at the address that the setting has.

    *prepare* makes what a new server must have, such as a database.
    """

    name: str
    server: Server
    url: str
    prepare: Callable[[], object] = lambda: None

    def open(self, identity: str) -> RowStore:
        """Return a client of the store of the shop with this identity."""
        stores = row_stores(naming(settings_for(""), self), identity)
        [store] = stores
        return store


def naming(settings: Settings, served: Served) -> Settings:
    """Return settings that name a store."""
    match served.name:
        case "hot":
            return replace(settings, cache_url=served.url)
        case "search":
            return replace(settings, search_url=served.url)
        case "documents":
            return replace(settings, documents_url=served.url)
        case _:
            return replace(settings, read_database_url=database_url(served.url))


@pytest.fixture(params=STORES)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """A store on a real server."""
    name = request.param
    server: Server = request.getfixturevalue(SERVERS[name])
    if name != "postgres":
        yield Served(name, server, server.url)
        return
    databases = Databases(sa.make_url(database_url(server.url)))
    try:
        database = new_name()
        url = databases.create(database)

        def prepare() -> None:
            databases.engine.dispose()
            databases.create(database)

        yield Served(name, server, url, prepare)
        server.ensure_running()
        databases.engine.dispose()
        databases.drop(database)
    finally:
        databases.close()


@pytest.fixture
def settings(database: str, served: Served) -> Settings:
    """Settings of a shop that name the store."""
    return naming(settings_for(database), served)


@pytest.fixture
def kit(shop: Shop, served: Served) -> Iterator[Kit]:
    """The store, as the one that writes it uses it."""
    kit = Kit(
        served.name,
        served.server,
        lambda: served.open(shop.identity),
        served.prepare,
    )
    yield kit
    for store in kit.opened:
        store.close()


@pytest.fixture
def followed(shop: Shop, kit: Kit) -> Shop:
    """The shop, whose read models that the store has are followed."""
    with shop.transaction() as connection:
        for projection in kit.store.projections:
            follow(connection, projection)
    return shop


@pytest.fixture
def writer(followed: Shop, kit: Kit) -> Iterator[Writer]:
    session = connect(followed.settings.database_url, "relay")
    assert take_turn(session, kit.name)
    yield Writer(kit.store, session)
    session.close()


def newest_of(shop: Shop, projection: Projection) -> NewestChange:
    with shop.lent() as connection:
        return find_newest(connection, [projection.name])[projection.name]


def new_copy(kit: Kit, shop: Shop, projection: Projection) -> Copy:
    """Make an empty copy of a read model that serves."""
    newest = newest_of(shop, projection)
    copy = Copy(
        read_model=projection.name,
        epoch=newest.epoch,
        generation=newest.generation,
        shape=kit.store.shape_of(projection),
        number=1,
    )
    kit.store.make(copy)
    kit.store.save_shelf(projection.name, Shelf(serving=copy), 1)
    return copy


def changed(change: RowChange, number: int, **fields: Any) -> RowChange:
    """Return a later or earlier change of a row, with other values."""
    assert change.row is not None
    return change._replace(change=number, row=replace(change.row, **fields))


def checkpoint_at(change: int, key: Key) -> Checkpoint:
    return Checkpoint(change=change, key=key, position=1, certified_at=1.5)

"""Each store with a real server, and a shop whose rows it has."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from eventstore.projections.changes import NewestChange, RowChange, find_newest
from eventstore.projections.following import follow
from eventstore.projections.projection import Key, Projection
from eventstore.stores.registry import take_turn
from eventstore.stores.row_store import Checkpoint, Copy, RowStore, Shelf, StoredRow
from eventstore.stores.writer import Writer
from tasks.shop.connections import connect
from tasks.shop.wiring import Shop
from tests.stores.servers.server import Server
from tests.support.databases import Databases

STORES = ("hot", "search", "documents", "postgres")


@dataclass
class Kit:
    """A store on a *server*; *reopen* returns another client of the same store."""

    name: str
    server: Server
    reopen: Callable[[], RowStore]
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


@pytest.fixture(params=STORES)
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """A store with names that no other test has."""
    with lend_kit(request) as kit:
        yield kit
        for store in kit.opened:
            store.close()


@contextmanager
def lend_kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    name, prefix = request.param, uuid4().hex[:12]
    match name:
        case "hot":
            from readmodels.stores.hot.store import HotStore

            server = request.getfixturevalue("cache_server")
            yield Kit(name, server, lambda: HotStore(server.url, prefix))
        case "search":
            from readmodels.stores.search.store import SearchStore

            server = request.getfixturevalue("search_server")
            yield Kit(name, server, lambda: SearchStore(server.url, prefix))
        case "documents":
            from readmodels.stores.documents.store import DocumentStore

            server = request.getfixturevalue("documents_server")
            yield Kit(name, server, lambda: DocumentStore(server.url, prefix))
        case _:
            from readmodels.stores.postgres.store import PostgresStore

            server = request.getfixturevalue("second_postgres")
            databases = Databases(sa.make_url(server.url))
            with databases.lend() as url:
                yield Kit(name, server, lambda: PostgresStore(url, prefix))
            databases.close()


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

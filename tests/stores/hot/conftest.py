"""A cache of counters, and the engine that it is fed from."""

import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from eventstore.projections.generations import ensure_generation
from eventstore.stores import registry
from eventstore.stores.row_store import Checkpoint, Copy
from eventstore.stores.writer import Writer
from readmodels.stores.hot.store import HotStore
from tests.stores.servers.server import Server
from tests.support.databases import Databases
from tests.support.engine import Engine, empty, open_engine
from tests.support.row_follower import keep_up, totals, write


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[str]:
    """The URL of a database for one file of tests."""
    with databases.lend() as url:
        yield url


@pytest.fixture
def engine(module_database: str) -> Iterator[Engine]:
    """The engine with a read model of counters and some rows of it."""
    engine = open_engine(module_database)
    with engine.connection.transaction():
        empty(engine.connection)
    ensure_generation(engine.pool, totals)
    write(engine.connection, ("a1", 3), ("a2", 4), ("b1", 5))
    keep_up(engine.connection, totals)
    yield engine
    engine.close()


@pytest.fixture
def prefix() -> str:
    """What no other test's keys begin with; its characters are those of patterns."""
    return f"shop [*?]-{uuid4().hex[:8]}"


@pytest.fixture
def store(cache_server: Server, prefix: str) -> Iterator[HotStore]:
    store = HotStore(cache_server.url, prefix, [totals])
    yield store
    store.connection.close()


@pytest.fixture
def copy(store: HotStore) -> Copy:
    """An empty copy at the checkpoint of change 100."""
    copy = Copy(
        read_model="totals",
        epoch="0" * 36,
        generation=1,
        shape="x",
        number=time.time_ns(),
    )
    store.make(copy)
    store.save_checkpoint(copy, Checkpoint(change=100, key="a"), Checkpoint())
    return copy


@pytest.fixture
def writer(engine: Engine, store: HotStore) -> Writer:
    connection = engine.connect()
    assert registry.take_turn(connection, store.name)
    return Writer(store, connection, seconds_between_purges=0)


@pytest.fixture
def shop_store(cache_server: Server, prefix: str) -> Iterator[HotStore]:
    store = HotStore(cache_server.url, prefix)
    yield store
    store.connection.close()

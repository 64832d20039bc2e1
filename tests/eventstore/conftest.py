"""What tests of the engine share: the engine, with nothing in it, and counters."""

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.support.databases import Databases
from tests.support.engine import Engine, empty, open_engine


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[str]:
    """The URL of a database for one file of tests."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    yield databases.clone(name)
    databases.drop(name)


@pytest.fixture
def engine(module_database: str) -> Iterator[Engine]:
    """The engine, and nothing has happened yet."""
    engine = open_engine(module_database)
    with engine.connection.transaction():
        empty(engine.connection)
    yield engine
    engine.close()


@pytest.fixture
def connection(engine: Engine) -> psycopg.Connection[Any]:
    """A connection in autocommit: each call is a transaction of its own."""
    return engine.connection

"""What tests of the engine share: the engine, with nothing in it, and counters."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.club import Club
from tests.support.databases import Databases
from tests.support.engine import Engine, empty, open_engine


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[str]:
    """The URL of a database for one file of tests."""
    with databases.lend() as url:
        yield url


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


@pytest.fixture
def club(database: str) -> Iterator[Club]:
    # No connection stays: any open connection is in the way of a rewrite.
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    yield Club(engine)
    engine.dispose()


@pytest.fixture
def months(club: Club) -> Club:
    """Four months of two members, of which one becomes two events and one none."""
    club.write("member-1", "Month", {"amount": 5, "hours": 9})
    club.write("member-2", "Paid", {"amount": 1})
    club.write("member-1", "Month", {"amount": 0, "hours": 0})
    club.write("member-1", "Month", {"amount": 6, "hours": 0})
    return club

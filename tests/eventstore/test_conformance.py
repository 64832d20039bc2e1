"""Every store keeps the rules: on PostgreSQL, over either connection, and in memory."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from eventstore import EventStoreError, MemoryStore, PostgresStore
from eventstore.testing.conformance import CHECKS, Check
from tests.support.broken_stores import BROKEN
from tests.support.engine import Engine, connect

Kept = dict[int, psycopg.Connection[Any]]


@pytest.fixture(scope="module")
def pool(module_database: str) -> Iterator[sa.Engine]:
    pool = sa.create_engine(module_database, isolation_level="AUTOCOMMIT")
    yield pool
    pool.dispose()


@pytest.fixture
def alchemy(engine: Engine, pool: sa.Engine) -> Iterator[Callable[[], sa.Connection]]:
    """Returns connections to an empty log, which go back to the pool."""
    lent: list[sa.Connection] = []

    def lend() -> sa.Connection:
        lent.append(pool.connect())
        return lent[-1]

    yield lend
    for connection in lent:
        connection.close()


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """Connections that are made once, for all checks of this file."""
    kept: Kept = {}
    yield kept
    for connection in kept.values():
        connection.close()


@pytest.fixture
def plain(engine: Engine, kept: Kept) -> Callable[[], psycopg.Connection[Any]]:
    """Returns psycopg's own connections to an empty log, another at each call."""
    numbers = count()

    def lend() -> psycopg.Connection[Any]:
        number = next(numbers)
        if number not in kept:
            kept[number] = connect(engine.url)
        return kept[number]

    return lend


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_the_store_in_memory_keeps_the_rule(check: Check) -> None:
    store = MemoryStore()

    check(lambda: store)


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_the_store_over_psycopg_keeps_the_rule(
    check: Check, plain: Callable[[], psycopg.Connection[Any]]
) -> None:
    check(lambda: PostgresStore(plain()))


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_the_store_over_sqlalchemy_keeps_the_rule(
    check: Check, alchemy: Callable[[], sa.Connection]
) -> None:
    check(lambda: PostgresStore(alchemy()))


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_a_store_that_breaks_the_rule_is_found(check: Check) -> None:
    store = BROKEN[str(check)]()

    with pytest.raises((AssertionError, EventStoreError)):
        check(lambda: store)


def test_there_is_a_broken_store_for_each_rule() -> None:
    assert list(BROKEN) == [str(check) for check in CHECKS]

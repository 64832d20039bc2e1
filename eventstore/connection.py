"""The psycopg connection of a caller's connection, of psycopg or of SQLAlchemy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

IDLE = TransactionStatus.IDLE

Connection = sa.Connection | psycopg.Connection[Any]
"""A connection of the caller; the engine works in its transaction."""


def driver_connection(connection: sa.Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection of an SQLAlchemy one, in the same transaction."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver


def psycopg_connection(connection: Connection) -> psycopg.Connection[Any]:
    """
    Return the psycopg connection of either, in the caller's transaction.

    Raises ValueError for one whose rows are not tuples.
    """
    if isinstance(connection, sa.Connection):
        # As its own `execute` would: otherwise its `commit` knows of no transaction and
        # does nothing, and our writes would be rolled back silently.
        if not connection.in_transaction():
            connection.begin()
        return driver_connection(connection)
    if connection.row_factory is not tuple_row:
        raise ValueError("the engine reads rows as tuples: not by this row_factory")
    return connection


def begin_on(connection: Connection) -> psycopg.Connection[Any]:
    """
    Return the psycopg connection of either, with its transaction begun.

    Otherwise the first `transaction()` on it would be the outermost and commit, which
    is the caller's right. In autocommit there is none to begin.
    """
    driver = psycopg_connection(connection)
    if not driver.autocommit and driver.info.transaction_status == IDLE:
        driver.execute("SELECT")
    return driver


def fetch_value(
    connection: psycopg.Connection[Any], query: LiteralString, *values: Any
) -> Any:
    """Return the value that *query* has one of, such as a stored function's answer."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def one_moment(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """
    Have all that is read in a new transaction be of one moment; it can write nothing.

    Rows are committed with their checkpoint, so at each moment they are what the events
    up to it make. Nothing is locked. *connection* is in autocommit.
    """
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield

"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection


def wait_until(
    condition: Callable[[], object], what: str, *, seconds: float = 60
) -> None:
    """Wait until *condition* holds; fail the test with *what* when it does not."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def somebody_waits(
    where: sa.Engine | psycopg.Connection[Any], *, besides: Iterable[int] = ()
) -> bool:
    """Return whether a session of this database waits for a lock, *besides* these."""
    if isinstance(where, sa.Engine):
        with where.connect() as connection:
            return somebody_waits(driver_connection(connection), besides=besides)
    row = where.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE NOT granted AND datname = current_database() AND pid <> ALL (%s)
        )
        """,
        ([*besides],),
    ).fetchone()
    return row == (True,)

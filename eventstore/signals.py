"""Signals: there may be something to read. Never the data; at most one is waiting."""

from typing import Any

import psycopg

CATCH_UP = "catch_up"


def send_signal(
    connection: psycopg.Connection[Any], name: str
) -> psycopg.Cursor[tuple[bool]]:
    """Raise a flag; the row says whether it was down, so that the signal is ours."""
    return connection.execute("SELECT public.raise_signal(%s)", (name,))


def is_raised(connection: psycopg.Connection[Any], name: str) -> bool:
    """Return whether a flag is up: somebody found it down since it was taken down."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM public.signals WHERE name = %s)", (name,)
    ).fetchone()
    return row == (True,)


def clear_signal(connection: psycopg.Connection[Any], name: str) -> None:
    """Take a flag down, before reading: what comes after it raises it again."""
    connection.execute("DELETE FROM public.signals WHERE name = %s", (name,))

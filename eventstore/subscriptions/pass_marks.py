"""
Marks: which subscriptions a session reads, written down before it begins.

A fold can end its process: by all the memory there is, by a library in C, by a loop
without an end. Nothing of it is noted, so the next process would end in the same way,
and nobody would read on. It finds the mark, and reads each of them alone, once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg


def leave_mark(connection: psycopg.Connection, names: Sequence[str]) -> list[list[str]]:
    """
    Mark that this session reads *names*; return what sessions read that have ended.

    Each of these is returned once. *connection* is in autocommit: a mark that is not
    committed before the reading is none.
    """
    with connection.pipeline():
        ended = connection.execute(
            """
            DELETE FROM public.passes AS p
            WHERE p.pid = pg_backend_pid()
                OR NOT EXISTS (SELECT FROM pg_stat_get_activity(p.pid))
            RETURNING p.names
            """
        )
        mark(connection, names)
        return [names for (names,) in ended.fetchall()]


def mark(connection: psycopg.Connection, names: Sequence[str]) -> None:
    connection.execute(
        """
        INSERT INTO public.passes (pid, names) VALUES (pg_backend_pid(), %s)
        ON CONFLICT (pid) DO UPDATE SET names = EXCLUDED.names
        """,
        (list(names),),
    )


def remove_mark(connection: psycopg.Connection) -> None:
    """Remove this session's mark: it has come to the end of its reading."""
    connection.execute("DELETE FROM public.passes WHERE pid = pg_backend_pid()")


@contextmanager
def marked_alone(
    connection: psycopg.Connection, name: str, others: Sequence[str]
) -> Iterator[None]:
    """Mark that only *name* is read for as long; then *others* are again."""
    mark(connection, [name])
    yield
    # Not in a finally: what is left by an exception stays as a mark.
    mark(connection, others)

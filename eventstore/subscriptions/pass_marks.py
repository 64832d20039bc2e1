"""
Marks: which subscriptions a session reads, committed before it begins.

A fold can end its process: by using all memory, by a fault in a C library, by an
endless loop. No error is noted then, and the next process would end in the same way.
So it looks for marks of sessions that have ended, and reads each of their subscriptions
alone, once.
"""

from collections.abc import Sequence

import psycopg


def leave_mark(connection: psycopg.Connection, names: Sequence[str]) -> list[list[str]]:
    """
    Mark that this session reads *names*; return the names in marks of ended sessions.

    Each of those marks is returned once. *connection* is in autocommit, so that the
    mark is committed before the reading begins.
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
    """Remove this session's mark, at the end of its reading."""
    connection.execute("DELETE FROM public.passes WHERE pid = pg_backend_pid()")

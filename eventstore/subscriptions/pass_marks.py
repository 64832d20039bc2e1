"""
Marks: which subscriptions a session reads, committed before it begins.

A fold can end its process: by using all memory, by a fault in a C library, by an
endless loop. No error is noted then, and the next process would end in the same way.
So it looks for marks of sessions that have ended, and reads each of their subscriptions
alone, once.
"""

from collections.abc import Sequence
from typing import NamedTuple

import psycopg


class PassMark(NamedTuple):
    """
    The mark of a session: the *names* of the subscriptions that it reads.

    *is_trial* says that the one subscription was read alone because it, or another that
    was read with it, had ended a process, or had failed.
    """

    names: list[str]
    is_trial: bool


def leave_mark(
    connection: psycopg.Connection, names: Sequence[str]
) -> Sequence[PassMark]:
    """
    Mark that this session reads *names*; return the marks of ended sessions.

    Each of those marks is returned once. *connection* is in autocommit, so that the
    mark is committed before the reading begins.
    """
    with connection.pipeline():
        ended = connection.execute(
            """
            DELETE FROM public.passes AS p
            WHERE p.pid = pg_backend_pid()
                OR NOT EXISTS (SELECT FROM pg_stat_get_activity(p.pid))
            RETURNING p.names, p.is_trial
            """
        )
        mark(connection, names)
        return [PassMark(*row) for row in ended.fetchall()]


def mark(
    connection: psycopg.Connection, names: Sequence[str], *, is_trial: bool = False
) -> None:
    connection.execute(
        """
        INSERT INTO public.passes (pid, names, is_trial)
        VALUES (pg_backend_pid(), %s, %s)
        ON CONFLICT (pid) DO UPDATE
        SET names = EXCLUDED.names, is_trial = EXCLUDED.is_trial
        """,
        (list(names), is_trial),
    )


def remove_mark(connection: psycopg.Connection) -> None:
    """Remove this session's mark, at the end of its reading."""
    connection.execute("DELETE FROM public.passes WHERE pid = pg_backend_pid()")

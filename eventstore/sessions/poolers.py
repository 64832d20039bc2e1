"""
Whether what stands before PostgreSQL leaves us the session that it has lent.

A pooler answers for PostgreSQL, and gives a connection a process number of its own.
Where that is not the server's, we ask for a session that ends when it is idle for a
tenth of a second. If it is ours, we hear of its end before we ask for anything more. If
the pooler lends it by the statement, the pooler does, and we are given
another one.
"""

import select
from typing import Any

import psycopg

from eventstore.session_errors import NoAnswer

PAUSES = (0.2, 0.4, 0.8, 1.6)
"""Seconds to wait for the end, one after the other while the answer is not certain."""
ASK_FOR_SHORT_TIMEOUT = """
    SELECT pg_catalog.pg_backend_pid(),
        pg_catalog.set_config('idle_session_timeout', '100ms', false)
"""
ASK = """
    SELECT pg_catalog.pg_backend_pid(),
        pg_catalog.current_setting('idle_session_timeout')
"""


def is_pooled(connection: psycopg.Connection[Any], pid: int) -> bool:
    """Return whether a pooler answers: *pid* is the one that the server tells."""
    return connection.info.backend_pid != pid


def keeps_session(connection: psycopg.Connection[Any]) -> bool:
    """
    Return whether a session stays with the client that has it, also between statements.

    *connection*, in autocommit, is used up. Raises psycopg.OperationalError where it is
    lost in a way that leaves this open: others may have had the session that ended.
    """
    first = connection.execute(ASK_FOR_SHORT_TIMEOUT, prepare=False).fetchone()
    for pause in PAUSES:
        has_news = is_readable(connection, pause)
        try:
            if connection.execute(ASK, prepare=False).fetchone() != first:
                return False
        except NoAnswer:
            raise
        except psycopg.OperationalError:
            if has_news:
                return True
            raise
    return False


def is_readable(connection: psycopg.Connection[Any], seconds: float) -> bool:
    """Wait so long for something that was not asked for; return whether it came."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(seconds * 1000))

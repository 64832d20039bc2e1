"""
Whether what stands before PostgreSQL leaves us the session that it has lent.

A pooler answers for PostgreSQL, and gives a connection a process number of its own.
Where that is not the server's, we ask for a session that ends when it is idle for a
tenth of a second. If it is ours, we hear of its end. If the pooler lends it to whoever
sends a statement, the pooler does, and we are given another one.
"""

import time
from typing import Any

import psycopg

from eventstore.session_errors import NoAnswer

PAUSES = (0.2, 0.4, 0.8, 1.6)
"""Seconds of silence, one after the other while the answer is not certain."""
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

    *connection*, in autocommit, is used up. Raises NoAnswer.
    """
    try:
        first = connection.execute(ASK_FOR_SHORT_TIMEOUT, prepare=False).fetchone()
        for pause in PAUSES:
            time.sleep(pause)
            if connection.execute(ASK, prepare=False).fetchone() != first:
                return False
    except NoAnswer:
        raise
    except psycopg.OperationalError:
        return True
    return False

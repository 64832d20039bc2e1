"""The lock of the one process that sends to the webhooks of a shop."""

from typing import Any

import psycopg

# Keys of two integers, as that of catching up.
TURN = "hashtext('recount'), hashtext('webhooks')"
MAX_SILENCE = "10s"
"""Until PostgreSQL ends the session of a sender that is frozen, and frees its lock."""


def take_turn(connection: psycopg.Connection[Any]) -> bool:
    """Take the lock of the one that sends; return False if another has it."""
    connection.execute(f"SET idle_session_timeout = '{MAX_SILENCE}'")
    row = connection.execute(f"SELECT pg_try_advisory_lock({TURN})").fetchone()
    return row == (True,)


def is_taken(connection: psycopg.Connection[Any]) -> bool:
    """Return whether somebody sends."""
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM pg_locks
            WHERE locktype = 'advisory' AND granted AND objsubid = 2
                AND database = (
                    SELECT oid FROM pg_database WHERE datname = current_database()
                )
                AND classid::bigint = hashtext('recount')::bigint & 4294967295
                AND objid::bigint = hashtext('webhooks')::bigint & 4294967295
        )
        """
    ).fetchone()
    return row == (True,)

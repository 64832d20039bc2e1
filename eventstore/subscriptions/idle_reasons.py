"""Why a reader of the log is idle, as far as the database knows it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.roles import PREFIX, wanted_grants
from eventstore.subscriptions.stop_reasons import RIGHTS

HELD_BACK = "held back"
LOCKED = "locked"

READERS = ("worker", "relay")
"""The roles whose processes read the log."""
NEEDED = ("events", "subscriptions", "passes", "hold_checkpoints", "settled")
"""Tables and functions without which no subscription is read, and no error is noted."""


class IdleReason(NamedTuple):
    """A word, and the session that is the cause, if there is one."""

    because: str
    holder: str | None = None


def find_idle_reason(
    connection: psycopg.Connection[Any], name: str, checkpoint: int
) -> IdleReason | None:
    """Return why *name* at *checkpoint* is not read; None if nobody seems to read."""
    if is_standby(connection):
        # It knows neither the locks of the primary nor who reads there.
        return None
    row = connection.execute("SELECT public.settled() <= %s", (checkpoint,)).fetchone()
    if row == (True,):
        return IdleReason(HELD_BACK)
    holder = find_holder(connection, name)
    if holder is not None:
        return IdleReason(LOCKED, holder)
    return IdleReason(RIGHTS) if lack_rights(connection) else None


def is_standby(connection: psycopg.Connection[Any]) -> bool:
    """Return whether the server is a standby, which can be read and not written to."""
    row = connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone()
    return row == (True,)


def find_holder(connection: psycopg.Connection[Any], name: str) -> str | None:
    """
    Return which session holds the checkpoint of *name*, or None.

    A row that is locked has the transaction that locked it as its `xmax`, and each
    transaction holds a lock on its own id. A row that several share is not found.
    """
    row = connection.execute(
        """
        SELECT l.pid, a.application_name
        FROM public.subscriptions AS s
        JOIN pg_catalog.pg_locks AS l
            ON l.locktype = 'transactionid' AND l.transactionid = s.xmax
            AND l.granted AND l.mode = 'ExclusiveLock'
        LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
        WHERE s.name = %s
        """,
        (name,),
    ).fetchone()
    if row is None:
        return None
    pid, application = row
    if pid is None:
        return "a prepared transaction"
    return f"pid {pid} ({application or 'without a name'})"


def lack_rights(connection: psycopg.Connection[Any]) -> bool:
    """
    Return whether a right is missing that the processes need to read at all.

    Roles belong to the whole server: where these have no right here at all, the shop's
    processes connect as somebody else.
    """
    roles, privileges, names = needed_grants()
    row = connection.execute(
        """
        SELECT bool_or(has) AND NOT bool_and(has) FROM (
            SELECT
                CASE g.privilege
                    WHEN 'EXECUTE'
                    THEN has_function_privilege(r.oid, p.oid, g.privilege)
                    ELSE has_table_privilege(r.oid, c.oid, g.privilege)
                END
            FROM unnest(%s::text[], %s::text[], %s::text[])
                AS g (role, privilege, name)
            JOIN pg_catalog.pg_roles AS r ON r.rolname = g.role
            LEFT JOIN pg_catalog.pg_proc AS p
                ON p.proname = g.name AND p.pronamespace = 'public'::regnamespace
            LEFT JOIN pg_catalog.pg_class AS c
                ON c.relname = g.name AND c.relnamespace = 'public'::regnamespace
        ) AS needed (has)
        """,
        (roles, privileges, names),
    ).fetchone()
    return row == (True,)


def needed_grants() -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    """Return the roles, the privileges and the names of what they are on, in turn."""
    grants = sorted(
        grant
        for grant in wanted_grants()
        if grant.role in READERS and grant.on in NEEDED
    )
    return (
        [PREFIX + grant.role for grant in grants],
        [grant.privilege for grant in grants],
        [grant.on for grant in grants],
    )

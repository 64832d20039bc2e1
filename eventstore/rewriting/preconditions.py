"""
Preconditions of a rewrite:

no other sessions, waiting commands or dependent views.
"""

from typing import Any, NamedTuple

import psycopg

from eventstore.errors import RewriteRefused
from eventstore.rewriting.copying import Places


class Other(NamedTuple):
    """A session that is connected to the same database, or what one has prepared."""

    pid: int | None
    application_name: str
    user: str


def find_others(connection: psycopg.Connection[Any]) -> list[Other]:
    rows = connection.execute(
        """
        SELECT pid, application_name, usename FROM pg_catalog.pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            -- What another login's session is, not every owner is told. The server's
            -- own processes have no user.
            AND coalesce(backend_type, 'client backend') = 'client backend'
            AND usename IS NOT NULL
        UNION ALL
        -- It keeps its locks without a process, and we would wait for ever.
        SELECT NULL, 'the prepared transaction ' || gid, owner
        FROM pg_catalog.pg_prepared_xacts
        WHERE database = current_database()
        ORDER BY 2, 1
        """
    )
    return [Other(*row) for row in rows]


def refuse_others(connection: psycopg.Connection[Any]) -> None:
    """Raise RewriteRefused where others are connected, which names them."""
    others = find_others(connection)
    if others:
        raise RewriteRefused(
            f"others are connected: {', '.join(map(describe_other, others))}"
        )


def describe_other(other: Other) -> str:
    name = other.application_name or other.user
    return name if other.pid is None else f"{name} (pid {other.pid})"


def refuse_dependents(connection: psycopg.Connection[Any]) -> None:
    """
    Raise RewriteRefused if a view or a foreign key depends on a table of the log.

    It would keep referring to the old log.
    """
    rows = connection.execute(
        """
        SELECT r.ev_class::regclass::text
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid
        WHERE d.classid = 'pg_rewrite'::regclass
            AND d.refobjid IN ('public.events'::regclass, 'public.seals'::regclass)
            AND r.ev_class <> d.refobjid
        UNION
        SELECT conrelid::regclass::text FROM pg_catalog.pg_constraint
        WHERE confrelid IN ('public.events'::regclass, 'public.seals'::regclass)
        ORDER BY 1
        """
    ).fetchall()
    if rows:
        raise RewriteRefused(
            f"{', '.join(name for (name,) in rows)} would stay with the old log: drop"
            " what is built upon the log, and make it again afterwards"
        )


def refuse_waiting(connection: psycopg.Connection[Any], places: Places) -> None:
    """Refuse where a command waits that has seen a version which is another one now."""
    row = connection.execute(
        """
        SELECT count(*) FROM public.commands
        WHERE status = 'accepted' AND expected_version IS NOT NULL
            AND stream_id = ANY (%s)
        """,
        (list(places.versions),),
    ).fetchone()
    if row and row[0]:
        raise RewriteRefused(
            f"{row[0]} commands wait that expect a version of a stream whose versions"
            " change: let them finish first"
        )

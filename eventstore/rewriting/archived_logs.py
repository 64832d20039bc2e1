"""Old logs, kept when the log was rewritten: which there are, and their end."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg import sql

from eventstore.errors import NoSuchKeptLog

PREFIX = "log_before_"
NAME = re.compile(f"{PREFIX}[1-9][0-9]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLog:
    """
    An old log, as it was until *rewritten_at*.

    *name* is the name of its schema in the database, *events* their number. *size* is
    what the log takes on disk in bytes. *findings* are texts that say what the seals
    found changed in it before it was copied.
    """

    name: str
    rewritten_at: datetime
    events: int
    size: int
    findings: Sequence[str] = ()


def keep_log(connection: psycopg.Connection[Any], findings: Sequence[str]) -> str:
    """
    Move the log's tables into a schema of their own, and return its name.

    *findings* are what its seals say was changed in it; they are kept with it.
    """
    numbers = [int(log.removeprefix(PREFIX)) for log in names_of_kept(connection)]
    name = f"{PREFIX}{max(numbers, default=0) + 1}"
    schema = sql.Identifier(name)
    connection.execute(sql.SQL("CREATE SCHEMA {}").format(schema))
    for table in ("events", "seals"):
        connection.execute(
            sql.SQL("ALTER TABLE public.{} SET SCHEMA {}").format(
                sql.Identifier(table), schema
            )
        )
    # Its ids are no longer drawn behind the fence, so nothing may be added to it.
    connection.execute(
        sql.SQL("ALTER TABLE {}.events DISABLE TRIGGER events_hold_fence").format(
            schema
        )
    )
    connection.execute(
        sql.SQL(
            "CREATE TABLE {}.rewriting AS"
            " SELECT clock_timestamp() AS rewritten_at, %s::text[] AS findings"
        ).format(schema),
        (list(findings),),
    )
    return name


def names_of_kept(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the names of the logs that are kept, the oldest first."""
    rows = connection.execute(
        "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname ~ %s",
        (f"^{NAME.pattern}$",),
    )
    names = [name for (name,) in rows]
    return sorted(names, key=lambda name: int(name.removeprefix(PREFIX)))


def find_kept(connection: psycopg.Connection[Any]) -> list[KeptLog]:
    """Return the old logs that are kept, the oldest first."""
    return [look_at(connection, name) for name in names_of_kept(connection)]


def look_at(connection: psycopg.Connection[Any], name: str) -> KeptLog:
    row = connection.execute(
        sql.SQL(
            """
            SELECT
                (SELECT rewritten_at FROM {schema}.rewriting),
                (SELECT count(*) FROM {schema}.events),
                pg_total_relation_size({events}::regclass),
                (SELECT findings FROM {schema}.rewriting)
            """
        ).format(schema=sql.Identifier(name), events=sql.Literal(f"{name}.events"))
    ).fetchone()
    assert row is not None
    rewritten_at, events, size, findings = row
    return KeptLog(
        name=name,
        rewritten_at=rewritten_at,
        events=events,
        size=size,
        findings=findings,
    )


def drop_kept(connection: psycopg.Connection[Any], name: str) -> None:
    """
    Drop an old log for good; *name* is the name of its schema. Raises NoSuchKeptLog.
    """
    if name not in names_of_kept(connection):
        raise NoSuchKeptLog(name)
    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))

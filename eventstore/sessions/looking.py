"""The one statement that pins a session and checks it, and the one that looks again."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from eventstore.session_errors import ReadOnlyServer, UnfitSession
from eventstore.sessions.pins import TOKEN

# Names with their schema: until it has run, the search path may be anybody's.
PIN = """
    WITH before AS MATERIALIZED (
        SELECT pg_catalog.current_setting(%(token)s, true) AS token
    ),
    pinned AS MATERIALIZED (
        SELECT pg_catalog.array_agg(
            pg_catalog.set_config(pin.name, pin.value, false)
        ) AS values
        FROM before, ROWS FROM (
            pg_catalog.unnest(%(names)s::text[]), pg_catalog.unnest(%(values)s::text[])
        ) AS pin (name, value)
    )
    SELECT
        before.token,
        pinned.values,
        pg_catalog.pg_backend_pid(),
        current_user::text,
        pg_catalog.current_database()::text,
        pg_catalog.current_setting('server_encoding'),
        pg_catalog.pg_is_in_recovery(),
        pg_catalog.set_config(
            'synchronous_commit',
            CASE pg_catalog.current_setting('synchronous_commit')
                WHEN 'off' THEN 'on'
                ELSE pg_catalog.current_setting('synchronous_commit')
            END,
            false
        ),
        pg_catalog.current_setting('session_replication_role'),
        pg_catalog.current_setting('plpgsql.variable_conflict', true)
    FROM before, pinned
"""
LOOK = """
    SELECT
        (
            SELECT pg_catalog.array_agg(pg_catalog.current_setting(name, true))
            FROM pg_catalog.unnest(%(names)s::text[]) AS name
        ),
        pg_catalog.pg_backend_pid(),
        current_user::text,
        pg_catalog.current_database()::text,
        pg_catalog.pg_is_in_recovery()
            OR pg_catalog.current_setting('transaction_read_only')::boolean
"""

IMPOSSIBLE = (
    psycopg.errors.InvalidParameterValue,
    psycopg.errors.UndefinedObject,
    psycopg.errors.FeatureNotSupported,
)


class Nature(NamedTuple):
    """What a session was when it was opened: its settings, and who and where it is."""

    names: list[str]
    values: list[str]
    pid: int
    role: str
    database: str


class SessionState(NamedTuple):
    """What a session is now: whether it is of the same nature, and can write."""

    is_same: bool
    is_read_only: bool


def pin(
    connection: psycopg.Connection[Any],
    wanted: Mapping[str, str],
    *,
    may_write: bool = True,
) -> Nature:
    """
    Set what is *wanted*, and check what the session then is: in one round trip.

    *connection* is in autocommit. Raises UnfitSession, also for a standby if the
    session *may_write*.
    """
    pins = {**wanted, TOKEN: uuid4().hex}
    asked = {"token": TOKEN, "names": list(pins), "values": list(pins.values())}
    try:
        row = connection.execute(PIN, asked, prepare=False).fetchone()
    except IMPOSSIBLE as error:
        # What is in its encoding cannot be told in UTF8, or it is another product.
        raise UnfitSession(
            f"a session cannot be set up: {error.diag.message_primary}",
            "look at the URL's options; PostgreSQL is to be 15 or newer, in UTF8",
        ) from error
    assert row is not None
    former, values, pid, role, database, encoding, is_standby, _, origin, conflict = row
    refuse_encoding(database, encoding)
    if former:
        raise SharedSession(where(connection))
    if origin != "origin":
        raise UnfitSession(
            f"session_replication_role is {origin}: triggers of the log do not fire",
            f"ALTER ROLE {role} RESET session_replication_role, and of the database",
        )
    if conflict not in (None, "error"):
        raise UnfitSession(
            f"plpgsql.variable_conflict is {conflict}: functions mean something else",
            "ALTER DATABASE … RESET plpgsql.variable_conflict, and of the role",
        )
    refuse_what_was_not_set(wanted, values)
    if is_standby and may_write:
        raise ReadOnlyServer
    return Nature(list(pins), values, pid, role, database)


def refuse_encoding(database: str, encoding: str) -> None:
    if encoding != "UTF8":
        raise UnfitSession(
            f"the database {database} is in {encoding}, which cannot keep every text",
            f"make another with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0,"
            f" and copy {database} into it by pg_dump",
        )


def refuse_what_was_not_set(wanted: Mapping[str, str], values: list[str]) -> None:
    for (name, value), got in zip(wanted.items(), values, strict=False):
        # Timeouts come back in another unit, and a Unix socket has no timeouts of TCP.
        if value != got and not value[:1].isdigit():
            raise UnfitSession(
                f"{name} is {got} after it was set to {value}",
                "look what stands between here and PostgreSQL",
            )


def look(connection: psycopg.Connection[Any], nature: Nature) -> SessionState:
    """Return what the session is now; *connection* is in autocommit."""
    asked = {"names": nature.names}
    row = connection.execute(LOOK, asked, prepare=False).fetchone()
    assert row is not None
    values, pid, role, database, is_read_only = row
    now = Nature(nature.names, values, pid, role, database)
    return SessionState(now == nature, is_read_only)


def where(connection: psycopg.Connection[Any]) -> str:
    """Return which address a connection was made to."""
    info = connection.info
    return f"{info.host}:{info.port}/{info.dbname}"


class SharedSession(UnfitSession):
    """A pooler lends sessions to several clients by turns."""

    def __init__(self, address: str) -> None:
        super().__init__(
            f"a pooler such as PgBouncer stands at {address} and lends one session to"
            " many clients: locks and settings would be lost or another's",
            "set pool_mode = session for this database, with server_reset_query ="
            " DISCARD ALL, or connect to PostgreSQL itself",
        )

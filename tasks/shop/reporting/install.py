"""
Create the views and functions of the schema `reporting`, and grant their use.

They hold no data and depend on code, such as the permissions of roles. So no migration
has them: if they are not those of this code, they are dropped and created again, as
read models are.
"""

import hashlib
from collections.abc import Iterator
from importlib.resources import files

import psycopg
import sqlalchemy as sa
from psycopg import sql

from eventstore.roles import PREFIX
from eventstore.sql import execute
from tasks.shop.permissions import COMMANDS, FORMER_ROLES, ROLES

SCHEMA = "reporting"
READERS = ("reader", "operator")
"""The database roles that may read them."""

# Each has a file of its own, and uses only those before it.
VIEWS = (
    "roles",
    "users",
    "tokens",
    "permissions",
    "commands_by_day",
    "command_seconds_by_day",
)
FUNCTIONS = ("command_seconds", "order_as_of")

IN_USE = (psycopg.errors.DependentObjectsStillExist, psycopg.errors.LockNotAvailable)


class ReportingInUse(Exception):
    """Views or functions for reports cannot be dropped; the message says why."""


def ensure_reporting(engine: sa.Engine) -> None:
    """
    Create the views and functions of this code, and grant them, as the tables' owner.

    Raises ReportingInUse if those of another version cannot be dropped; they are then
    unchanged.
    """
    if find_fingerprint(engine) != fingerprint():
        drop_reporting(engine)
        with engine.begin() as connection:
            for statement in definitions():
                execute(connection, statement)
    # A dump restored on another server has lost the grants.
    with engine.begin() as connection:
        for statement in grants():
            execute(connection, statement)


def drop_reporting(engine: sa.Engine) -> None:
    """
    Drop the views and functions made here, and no other objects of the schema.

    Migrations can change the tables that they read only while they are dropped. Raises
    ReportingInUse if other objects depend on them, or a query on them does not end.
    """
    try:
        with engine.begin() as connection:
            # A longer wait for the lock would block all later readers.
            execute(connection, "SET LOCAL lock_timeout = '5s'")
            execute(connection, f"DROP VIEW IF EXISTS {names(VIEWS)}")
            execute(connection, f"DROP FUNCTION IF EXISTS {names(FUNCTIONS)}")
            if find_fingerprint(engine) is not None:
                execute(connection, f"COMMENT ON SCHEMA {SCHEMA} IS NULL")
    except sa.exc.DBAPIError as error:
        if isinstance(error.orig, IN_USE):
            raise ReportingInUse(str(error.orig)) from error
        raise


def find_fingerprint(engine: sa.Engine) -> str | None:
    """Return the fingerprint of the installed definitions, or None."""
    with engine.connect() as connection:
        comment: str | None = connection.scalar(
            sa.text("SELECT obj_description(to_regnamespace(:name), 'pg_namespace')"),
            {"name": SCHEMA},
        )
    return comment.rpartition(" ")[2] if comment else None


def fingerprint() -> str:
    """Return a hash of the SQL that makes them."""
    return hashlib.sha256("".join(sources()).encode()).hexdigest()[:16]


def definitions() -> Iterator[str]:
    """Yield the SQL that creates them and stores their fingerprint."""
    yield f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"
    yield from sources()
    yield (
        f"COMMENT ON SCHEMA {SCHEMA} IS"
        f" 'Views and functions for reports, made from the code: {fingerprint()}'"
    )


def sources() -> Iterator[str]:
    """Yield the SQL of each view and function."""
    for name in (*VIEWS, *FUNCTIONS):
        text = files(__package__).joinpath("sql", f"{name}.sql").read_text("utf-8")
        yield text.replace("{role_rows}", role_rows())


def role_rows() -> str:
    """Return rows of VALUES: each role, permission and type of command."""
    rows: list[tuple[str, str, str | None]] = [
        (role, permission, command_type)
        for role, permissions in sorted({**ROLES, **former_roles()}.items())
        for permission in sorted(permissions)
        for command_type in types_for(permission)
    ]
    return ",\n    ".join(
        sql.SQL("({}, {}, {})").format(*map(sql.Literal, row)).as_string()
        for row in rows
    )


def former_roles() -> dict[str, frozenset[str]]:
    """Return the permissions by the former names of roles, which users may have."""
    return {former: ROLES[present] for former, present in FORMER_ROLES.items()}


def types_for(permission: str) -> list[str | None]:
    """Return the types of command that need *permission*; [None] if it is to read."""
    return [type_ for type_, wanted in COMMANDS.items() if wanted == permission] or [
        None
    ]


def grants() -> Iterator[str]:
    """Yield the SQL that grants use to READERS only."""
    readers = ", ".join(PREFIX + role for role in READERS)
    yield f"GRANT USAGE ON SCHEMA {SCHEMA} TO {readers}"
    yield f"GRANT SELECT ON {names(VIEWS)} TO {readers}"
    yield f"REVOKE ALL ON FUNCTION {names(FUNCTIONS)} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {names(FUNCTIONS)} TO {readers}"


def names(of: tuple[str, ...]) -> str:
    return ", ".join(f"{SCHEMA}.{name}" for name in of)

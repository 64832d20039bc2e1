"""Users: adding, listing and disabling them, by functions that operators may call."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from eventstore.connection import fetch_value


class User(NamedTuple):
    """A user, with how many tokens and sessions are usable; no name is given twice."""

    name: str
    roles: list[str]
    has_password: bool
    tokens: int
    sessions: int
    created_at: datetime
    disabled_at: datetime | None


def has_users(connection: psycopg.Connection[Any]) -> bool:
    """Return whether there is any user, enabled or disabled; none is ever deleted."""
    return bool(fetch_value(connection, "SELECT public.has_users()"))


def find_users(connection: psycopg.Connection[Any]) -> list[User]:
    """Return all users by name."""
    rows = connection.execute(
        """
        SELECT name, roles, has_password, tokens, sessions, created_at, disabled_at
        FROM public.list_users()
        """
    )
    return [User(*row) for row in rows]


def add_user(
    connection: psycopg.Connection[Any], name: str, roles: Collection[str]
) -> bool:
    """Add a user; return whether the name was free."""
    query = "SELECT public.add_user(%s, %s::text[])"
    return bool(fetch_value(connection, query, name, list(roles)))


def set_roles(
    connection: psycopg.Connection[Any], name: str, roles: Collection[str]
) -> bool:
    """Set the roles of a user; return whether there is such a user."""
    query = "SELECT public.set_roles(%s, %s::text[])"
    return bool(fetch_value(connection, query, name, list(roles)))


def set_disabled(
    connection: psycopg.Connection[Any], name: str, *, is_disabled: bool
) -> bool:
    """
    Disable or enable a user; return whether there is such a user.

    One who is disabled has no session any more, and must log in again once enabled.
    """
    query = "SELECT public.set_disabled(%s, %s)"
    return bool(fetch_value(connection, query, name, is_disabled))


def set_password(connection: psycopg.Connection[Any], name: str, hashed: str) -> bool:
    """
    Store the argon2id hash of a password; return whether there is such a user.

    All sessions of the user end.
    """
    return bool(
        fetch_value(connection, "SELECT public.set_password(%s, %s)", name, hashed)
    )

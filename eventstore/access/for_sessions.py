"""
What the pages do with users and tokens, for whoever has a session.

Each function takes the hash of the session's secret. Those about other users raise
psycopg.errors.InsufficientPrivilege unless the session is an admin's.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Literal

import psycopg

from eventstore.access.tokens import Token, hash_of, new_token
from eventstore.access.users import User
from eventstore.connection import fetch_value

Change = Literal["roles", "disable", "enable", "password", "sign out"]


def add_first_user(connection: psycopg.Connection[Any], name: str, hashed: str) -> bool:
    """Add the first user, an admin; return whether there was none. Wants no session."""
    query = "SELECT public.add_first_user(%s, %s)"
    return bool(fetch_value(connection, query, name, hashed))


def find_users(connection: psycopg.Connection[Any], session: bytes) -> list[User]:
    """Return all users by name."""
    rows = connection.execute(
        """
        SELECT name, roles, has_password, tokens, sessions, created_at, disabled_at
        FROM public.list_users_as(%s)
        """,
        (session,),
    )
    return [User(*row) for row in rows]


def add_user(
    connection: psycopg.Connection[Any],
    session: bytes,
    name: str,
    roles: Collection[str],
    hashed: str | None,
) -> bool:
    """Add a user, with a password's hash or without; return if the name was free."""
    return _change(connection, session, "add", name, roles, hashed)


def change_user(
    connection: psycopg.Connection[Any],
    session: bytes,
    what: Change,
    name: str,
    *,
    roles: Collection[str] = (),
    hashed: str | None = None,
) -> bool:
    """Change a user; return whether there is one, or a session to sign out from."""
    return _change(connection, session, what, name, roles, hashed)


def change_password(
    connection: psycopg.Connection[Any], session: bytes, old: str, new: str
) -> bool:
    """
    Replace the password of the session's user; return whether *old* is the present one.

    Both are hashes. All sessions of the user end.
    """
    query = "SELECT public.change_password_as(%s, %s, %s)"
    return bool(fetch_value(connection, query, session, old, new))


def create_token(
    connection: psycopg.Connection[Any],
    session: bytes,
    *,
    scopes: Collection[str],
    expires_in: timedelta,
) -> str | None:
    """Return a new token of the session's user, or None if the session has ended."""
    prefix, token = new_token()
    query = "SELECT public.create_token_as(%s, %s, %s, %s::text[], %s)"
    values = (prefix, hash_of(token), list(scopes), expires_in)
    return token if fetch_value(connection, query, session, *values) else None


def find_tokens(
    connection: psycopg.Connection[Any], session: bytes, *, of_all: bool = False
) -> list[Token]:
    """Return the tokens of the session's user, or for an admin those of all."""
    rows = connection.execute(
        """
        SELECT prefix, user_name, scopes, created_at, expires_at, standing
        FROM public.list_tokens_as(%s, %s)
        """,
        (session, of_all),
    )
    return [Token(*row) for row in rows]


def revoke_token(
    connection: psycopg.Connection[Any], session: bytes, prefix: str
) -> bool:
    """Revoke a token, another user's only for an admin; return whether it was there."""
    query = "SELECT public.revoke_token_as(%s, %s)"
    return bool(fetch_value(connection, query, session, prefix))


def _change(
    connection: psycopg.Connection[Any],
    session: bytes,
    what: str,
    name: str,
    roles: Collection[str],
    hashed: str | None,
) -> bool:
    query = "SELECT public.change_user_as(%s, %s, %s, %s::text[], %s)"
    return bool(
        fetch_value(connection, query, session, what, name, list(roles), hashed)
    )

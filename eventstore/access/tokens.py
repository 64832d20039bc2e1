"""Tokens: made once and shown once, kept as a hash, found by a prefix."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

FORM = re.compile(r"recount_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
NO_HASH = bytes(32)
"""The hash of no token; it is compared if none was found, to take the same time."""


class Token(NamedTuple):
    """A token without its secret; *standing* is `valid`, or why it is not."""

    prefix: str
    user: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    standing: str


class Bearer(NamedTuple):
    """The user of a token, the user's roles, and the token's scopes."""

    user: str
    roles: list[str]
    scopes: list[str]


def create_token(
    connection: psycopg.Connection[Any],
    user: str,
    *,
    scopes: Collection[str],
    expires_in: timedelta,
) -> str | None:
    """Return a new token of *user*, or None if there is no such enabled user."""
    prefix, token = new_token()
    row = connection.execute(
        "SELECT public.create_token(%s, %s, %s, %s::text[], %s)",
        (user, prefix, hash_of(token), list(scopes), expires_in),
    ).fetchone()
    return token if row is not None and row[0] else None


def new_token() -> tuple[str, str]:
    """Return a new prefix, and the token that has it."""
    prefix = secrets.token_hex(6)
    return prefix, f"recount_{prefix}_{secrets.token_urlsafe(32)}"


def find_bearer(connection: psycopg.Connection[Any], token: str) -> Bearer | None:
    """Return the bearer of *token*, or None if it is unknown, expired or revoked."""
    match = FORM.fullmatch(token)
    if match is None:
        return None
    row = connection.execute(
        "SELECT hash, user_name, roles, scopes FROM public.find_token(%s)", (match[1],)
    ).fetchone()
    kept = row[0] if row else NO_HASH
    if not hmac.compare_digest(hash_of(token), kept) or row is None:
        return None
    return Bearer(*row[1:])


def revoke_token(connection: psycopg.Connection[Any], prefix: str) -> bool:
    """Revoke the token with a *prefix*; return whether there is one."""
    row = connection.execute("SELECT public.revoke_token(%s)", (prefix,)).fetchone()
    return bool(row and row[0])


def find_tokens(
    connection: psycopg.Connection[Any], user: str | None = None
) -> list[Token]:
    """Return the tokens of *user*, or of all."""
    rows = connection.execute(
        """
        SELECT prefix, user_name, scopes, created_at, expires_at, standing
        FROM public.list_tokens(%s)
        """,
        (user,),
    )
    return [Token(*row) for row in rows]


def hash_of(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

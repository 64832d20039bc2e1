"""Sessions of the pages: opened by a password, and found by a secret."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg

from eventstore.connection import fetch_value

IDLE = timedelta(hours=12)
MAX_AGE = timedelta(days=7)
"""How long a session is good, after its last use and in all, as `find_session` says."""


class Session(NamedTuple):
    """The user of a session, with the roles; it *is_to_note* that it is used."""

    user: str
    roles: list[str]
    is_to_note: bool


@dataclass(frozen=True, slots=True)
class LoginCounter:
    """
    What logins are counted by: a *digest* of an address, a name or a browser.

    So many *allowed* ones may fail at once, and one more after each *pause*.
    """

    digest: bytes
    allowed: int
    pause: timedelta


class LoginBegun(NamedTuple):
    """
    Whether the password may be looked at.

    *seconds_to_wait* is None if so. *method* says how it was hashed, as argon2 writes
    it, without the hash; None if no such user can log in.
    """

    seconds_to_wait: float | None
    method: str | None


def begin_login(
    connection: psycopg.Connection[Any], user: str, counted: Sequence[LoginCounter]
) -> LoginBegun:
    """Count a login of *user*, by an address first; `open_session` forgives it."""
    row = connection.execute(
        "SELECT seconds_to_wait, method FROM public.begin_login(%s, %s, %s, %s)",
        (
            user,
            [one.digest for one in counted],
            [one.allowed for one in counted],
            [one.pause for one in counted],
        ),
    ).fetchone()
    assert row is not None
    return LoginBegun(*row)


def open_session(
    connection: psycopg.Connection[Any],
    user: str,
    hashed: str,
    counted: Sequence[LoginCounter],
) -> str | None:
    """
    Return the secret of a new session of *user*; None if the password is another.

    *hashed* is what was typed, by the method that `begin_login` has returned.
    """
    secret = secrets.token_urlsafe(32)
    query = "SELECT public.open_session(%s, %s, %s, %s, %s)"
    is_open = fetch_value(
        connection,
        query,
        user,
        hashed,
        hash_of(secret),
        [one.digest for one in counted],
        [one.pause for one in counted],
    )
    return secret if is_open else None


def find_session(connection: psycopg.Connection[Any], hashed: bytes) -> Session | None:
    """Return the session with the hash of a secret, or None if it is not good now."""
    row = connection.execute(
        "SELECT user_name, roles, is_to_note FROM public.find_session(%s)", (hashed,)
    ).fetchone()
    return None if row is None else Session(*row)


def note_session(connection: psycopg.Connection[Any], hashed: bytes) -> None:
    """Note that a session is used, which prolongs it."""
    connection.execute("SELECT public.note_session(%s)", (hashed,))


def end_session(
    connection: psycopg.Connection[Any], hashed: bytes, *, is_everywhere: bool = False
) -> int:
    """End a session, or all sessions of its user; return how many were ended."""
    query = "SELECT public.end_session(%s, %s)"
    return int(fetch_value(connection, query, hashed, is_everywhere))


def end_sessions_of(connection: psycopg.Connection[Any], user: str) -> int:
    """End all sessions of *user*; return how many there were."""
    return int(fetch_value(connection, "SELECT public.end_sessions_of(%s)", user))


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).digest()

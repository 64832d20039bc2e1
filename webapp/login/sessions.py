"""The session of a request: found by its cookie, and cached as tokens are."""

import re
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import cast

from flask import Flask, Response, current_app, g, request

from eventstore.access import sessions
from eventstore.access.sessions import Session, hash_of
from eventstore.connection import driver_connection
from tasks.shop.local_access import shop_id
from webapp.authorization import MAX_SECONDS_OF_MEMORY, ask
from webapp.current_shop import the_settings, the_shop
from webapp.outages import DATABASE_ERRORS, is_outage
from webapp.problems import Problem
from webapp.token_cache import FRESH, MAX_KNOWN

SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(slots=True)
class SessionCache:
    """The sessions that were found, by the hash of their secret, and when."""

    known: dict[bytes, tuple[Session, float]] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def within(self, hashed: bytes, seconds: float) -> Session | None:
        """Return a session that was good within *seconds*, or None."""
        session, at = self.known.get(hashed, (None, 0.0))
        return session if time.monotonic() - at < seconds else None

    def learn(self, hashed: bytes, session: Session | None) -> None:
        """Cache the result of a look-up; None is no session that is good."""
        with self.lock:
            self.known.pop(hashed, None)
            if session is not None:
                self.known[hashed] = (session, time.monotonic())
                if len(self.known) > MAX_KNOWN:
                    del self.known[next(iter(self.known))]


def keep(app: Flask) -> None:
    """Give *app* its cache of sessions."""
    app.extensions["sessions"] = SessionCache()


def cache() -> SessionCache:
    return cast(SessionCache, current_app.extensions["sessions"])


def login_cookie(secret_key: str) -> str:
    """Return the name of the cookie with a session's secret."""
    return f"recount-{shop_id(secret_key)}-login"


def hash_in_cookie() -> bytes | None:
    """Return the hash of the secret that the browser has sent, or None."""
    secret = request.cookies.get(login_cookie(the_settings().secret_key), "")
    return hash_of(secret) if SECRET.fullmatch(secret) else None


def find_session() -> Session | None:
    """
    Return the session of the request if it is good, or None.

    While no database can be asked, one that was good before is taken on trust, and
    `g.is_on_trust` says so. Raises the Problem that it is away if there was none.
    """
    hashed = hash_in_cookie()
    if hashed is None:
        return None
    session = cache().within(hashed, FRESH)
    if session is not None:
        return session
    try:
        session = ask(lambda connection: sessions.find_session(connection, hashed))
    except Problem:
        session = cache().within(hashed, MAX_SECONDS_OF_MEMORY)
        if session is None:
            raise
        g.is_on_trust = True
        return session
    cache().learn(hashed, session)
    if session is not None and session.is_to_note:
        note(hashed)
    return session


def is_still_good() -> bool:
    """Ask the shop's own database whether the session is good."""
    hashed = hash_in_cookie()
    if hashed is None:
        return False
    with the_shop().lent() as connection:
        return sessions.find_session(connection, hashed) is not None


def note(hashed: bytes) -> None:
    """Note that a session is used; where it cannot be written, it can be read."""
    try:
        with the_shop().autocommitting.connect() as connection:
            sessions.note_session(driver_connection(connection), hashed)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise


def end(*, is_everywhere: bool = False) -> None:
    """End the session of the request, or all of its user."""
    hashed = hash_in_cookie()
    if hashed is not None:
        with the_shop().lent() as connection:
            sessions.end_session(connection, hashed, is_everywhere=is_everywhere)
        cache().learn(hashed, None)


def set_cookie(response: Response, secret: str) -> None:
    """
    Have the browser keep the *secret* of a session until it is closed.

    The prefix `__Host-` would want https, and does not tell ports apart either.
    """
    response.set_cookie(
        login_cookie(the_settings().secret_key),
        secret,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def drop_cookie(response: Response) -> None:
    response.delete_cookie(
        login_cookie(the_settings().secret_key), httponly=True, samesite="Lax"
    )

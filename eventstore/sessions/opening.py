"""Opening a session: connect, pin what the code relies on, and check it, once."""

import functools
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

import psycopg

from eventstore.session_errors import UnfitSession
from eventstore.sessions.looking import SharedSession, pin, where
from eventstore.sessions.pins import TO_READ_ONLY, pins_for, seconds_of
from eventstore.sessions.poolers import is_pooled, keeps_session
from eventstore.sessions.session import Session
from eventstore.sessions.witness import Brief, Witness

C = TypeVar("C", bound=psycopg.Connection[Any])

SECONDS_TO_CONNECT = 2
SECONDS_BEYOND_LIMIT = 3.0
"""So long beyond its limit a statement is waited for, which the server is to keep."""

TCP: Mapping[str, Any] = {
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    # Milliseconds in which what was sent is to be acknowledged.
    "tcp_user_timeout": 3000,
}


def open_session(
    limits: Mapping[str, str] | None = None,
    *,
    autocommit: bool = True,
    may_write: bool = True,
    **target: Any,
) -> Session:
    """
    Connect to *target*, parameters of libpq, and return a session to rely on.

    *limits* are settings of the session's own, such as `statement_timeout`. With
    *may_write* false it is a session that cannot write, on a standby, too. Raises
    UnfitSession where the database, or a pooler before it, is none to rely on, and
    psycopg.OperationalError where it is away.
    """
    limits = limits or {}
    target = {**TCP, "connect_timeout": SECONDS_TO_CONNECT, **target}
    session = open_pinned(limits, target, may_write)
    try:
        if session.nature and is_pooled(session, session.nature.pid):
            # By each session: a pooler may be set otherwise while we run.
            refuse_sharing(session)
            session.close()
            session = open_pinned(limits, target, may_write)
        wanted = pins_for(session.info.server_version, limits)
        longest = seconds_of(wanted["statement_timeout"])
        session.patience = None if longest is None else longest + SECONDS_BEYOND_LIMIT
        session.witness = Witness(functools.partial(connect, Brief, target))
        session.opened_at = time.monotonic()
        session.autocommit = autocommit
    except BaseException:
        session.close()
        raise
    return session


def open_pinned(
    limits: Mapping[str, str], target: Mapping[str, Any], may_write: bool
) -> Session:
    """Connect in autocommit, and set what the code relies on. Raises UnfitSession."""
    session = connect(Session, target)
    try:
        session.patience = SECONDS_TO_CONNECT
        session.may_write = may_write
        wanted = pins_for(session.info.server_version, limits)
        if not may_write:
            wanted |= TO_READ_ONLY
        session.nature = pin(session, wanted, may_write=may_write)
    except BaseException:
        session.close()
        raise
    return session


def connect(kind: type[C], target: Mapping[str, Any]) -> C:
    """Connect in autocommit; raises UnfitSession where a pooler refuses that."""
    try:
        return kind.connect(**target, autocommit=True)
    except psycopg.OperationalError as error:
        if "startup parameter" not in str(error):
            raise
        reason = str(error).partition("FATAL:")[2].strip() or str(error)
        raise UnfitSession(
            f"a pooler such as PgBouncer stands before the database and says: {reason}",
            "take `options` out of the URL, or add it to the pooler's"
            " ignore_startup_parameters",
        ) from error


def refuse_sharing(session: Session) -> None:
    """
    Raise UnfitSession where a pooler lends a session to several.

    *session* is used up to find out.
    """
    if not keeps_session(session):
        # Most likely it is the session that we have pinned: others get it next.
        with suppress(psycopg.Error):
            session.execute("RESET ALL")
        raise SharedSession(where(session))

"""Sessions of a process, opened by `open_session`; a pool holds some of them."""

import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.sessions.opening import open_session
from eventstore.sessions.session import Session
from tasks.shop.process_name import process_name

IDLE = 1.0
"""Seconds after which a session is looked at, before it is lent."""

WAITS = {"lock_timeout": "3s", "idle_in_transaction_session_timeout": "5s"}
POOL = 20
"""Sessions of one process at most, besides its heart's."""
LIMITS = {
    "web": {**WAITS, "statement_timeout": "10s"},
    "worker": {**WAITS, "statement_timeout": "20s"},
    "relay": {**WAITS, "statement_timeout": "20s"},
}
"""
How long a session of a role may keep others waiting.

A statement has at most the time of the task that sends it. An operator's, such as an
index that a rebuild makes, takes what it takes.
"""
OWN_LIMIT = re.compile(
    r"-(?:c\s*|-)(statement_timeout|lock_timeout"
    r"|idle_in_transaction_session_timeout|transaction_timeout)=(\S+)"
)
"""A limit in the `options` of a URL."""


def sessions_needed(web_processes: int) -> dict[str, int]:
    """
    Return how many sessions the Procfile's processes of each role may open.

    Of each process of the web the pool and its heart; three children of the worker with
    two each, its main process and its heart; the relay's child, its parent, its heart.
    """
    return {"web": web_processes * (POOL + 1), "worker": 8, "relay": 3, "operator": 2}


def connect(url: str | sa.URL, role: str = "operator", **more: Any) -> Session:
    """
    Open a session in autocommit to the database at *url*, with the limits of a *role*.

    Raises UnfitSession where it is none to rely on.
    """
    return opener(url, role, **more)()


def opener(
    url: str | sa.URL, role: str = "operator", **more: Any
) -> Callable[[], Session]:
    """Return what opens sessions as `connect` does; the URL is read once."""
    address = sa.make_url(url)
    _, target = address.get_dialect()().create_connect_args(address)
    options = str(target.pop("options", ""))
    # A pooler refuses or ignores `options`: what we know of them, the session sets.
    limits = {**LIMITS.get(role, {}), **dict(OWN_LIMIT.findall(options))}
    if rest := OWN_LIMIT.sub("", options).strip():
        target["options"] = rest
    if "," in str(target.get("host", "")):
        target.setdefault("target_session_attrs", "primary")
    target.setdefault("application_name", f"recount {process_name(sys.argv)}")

    def open_one() -> Session:
        return open_session(limits, **{**target, **more})

    return open_one


@dataclass
class PoolExpiry:
    """Until when the sessions of a pool were opened that are of no use any more."""

    opened_until: float = float("-inf")


def pool_of(database_url: str, role: str = "operator") -> sa.Engine:
    """
    Return an engine with a small pool of its own, for a process of that *role*.

    Asking each time, as `pool_pre_ping` does, was one round trip of the two that
    accepting a command takes. One that was busy a moment ago is trusted: where the
    server has gone since, the command is not accepted, or its drain is interrupted.
    A session that is of no use any more is thrown away when it comes back; where it
    was found that it cannot write, so are all that are as old.
    """
    open_one, doom = opener(database_url, role), PoolExpiry()

    def create() -> Session:
        session = open_one()
        session.autocommit = False
        return session

    engine = sa.create_engine(
        sa.make_url(database_url),
        creator=create,
        # Kept when a burst is over, and the last one used is used again: to open one
        # takes longer than what is done with it.
        pool_size=POOL,
        max_overflow=0,
        pool_use_lifo=True,
    )

    def note_end(session: Session, *_: Any) -> None:
        if session.has_lost_right_to_write:
            doom.opened_until = time.monotonic()

    def note_return(session: Session | None, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()
        if session is not None and session.is_spent:
            record.invalidate()

    def look_at_idle(session: Session, record: Any, _: Any) -> None:
        # Never InvalidatePoolError: SQLAlchemy goes by the wall clock there, and one
        # that was set back would have each session opened again until it has caught up.
        if session.opened_at <= doom.opened_until:
            raise sa.exc.DisconnectionError
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < IDLE:
            return
        with suppress(Exception):
            session.look()
            if not session.is_spent:
                return
        # The others of the pool are as old: all of them are made again.
        doom.opened_until = time.monotonic()
        raise sa.exc.DisconnectionError

    sa.event.listen(engine, "invalidate", note_end)
    sa.event.listen(engine, "checkin", note_return)
    sa.event.listen(engine, "checkout", look_at_idle)
    return engine


@contextmanager
def lend(
    pooled: AbstractContextManager[sa.Connection],
    *,
    keep_after: tuple[type[BaseException], ...] = (),
) -> Iterator[psycopg.Connection[Any]]:
    """
    Lend what is *pooled* to callers of the engine, which speaks psycopg.

    *pooled* is what `connect` or `begin` of a pool returns: it says what transaction
    there is, and who ends it. A connection that is left by an exception, but for those
    in *keep_after*, is thrown away: it may hold a stream's lock, or stand in the middle
    of a pipeline, and the pool would neither see it nor let go of it.
    """
    with pooled as connection:
        try:
            yield driver_connection(connection)
        except keep_after:
            raise
        except BaseException:
            connection.invalidate()
            raise


def can_write(engine: sa.Engine) -> bool:
    """
    Return whether a session of the pool can write; in one round trip.

    One that cannot, or is not what it was when it was opened, is thrown away. Raises
    what tells that the database is away, or that it is none to rely on.
    """
    with lend(engine.connect()) as session:
        assert isinstance(session, Session)
        seen = session.look()
    return seen.is_same and not seen.is_read_only

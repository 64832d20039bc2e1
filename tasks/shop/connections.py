"""The database sessions of a process, opened by `open_session`, and their pool."""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.session_errors import NoAnswer
from eventstore.sessions.opening import open_session
from eventstore.sessions.session import Session
from eventstore.sessions.silence import silence_limit
from tasks.shop.process_name import process_name

IDLE = 1.0
"""Seconds of idleness after which a session is checked before it is lent."""

WAITS = {"lock_timeout": "3s", "idle_in_transaction_session_timeout": "5s"}
SILENCES_TO_OPEN = 2
"""How often the limit of silence opening a session may take, where there is one."""
POOL = 20
"""Maximum of sessions of one process, besides its heartbeat's."""
LIMITS = {
    "web": {**WAITS, "statement_timeout": "10s"},
    "worker": {**WAITS, "statement_timeout": "20s"},
    "relay": {**WAITS, "statement_timeout": "20s"},
    "reader": {**WAITS, "statement_timeout": "10s"},
}
"""
The time limits of a session, by role.

A statement has at most the time of the task that sends it. An operator's, such as a
rebuild's index, has no limit.
"""
OWN_LIMIT = re.compile(
    r"-(?:c\s*|-)(statement_timeout|lock_timeout"
    r"|idle_in_transaction_session_timeout|transaction_timeout)=(\S+)"
)
"""A limit in the `options` of a URL."""


def sessions_needed(web_processes: int) -> dict[str, int]:
    """
    Return how many sessions the Procfile's processes of each role may open.

    For each web process its pool and its heartbeat; for the worker two for each of its
    three children, its main process and its heartbeat; for the relay its child, its
    parent, its heartbeat, the sender of webhooks, and the filler of copies.
    """
    return {"web": web_processes * (POOL + 1), "worker": 8, "relay": 5, "operator": 2}


def connect(url: str | sa.URL, role: str = "operator", **more: Any) -> Session:
    """
    Open a session in autocommit to the database at *url*, with the limits of a *role*.

    Raises UnfitSession if the session could lose data.
    """
    return opener(url, role, **more)()


def opener(
    url: str | sa.URL, role: str = "operator", **more: Any
) -> Callable[[], Session]:
    """
    Return a function that opens sessions as `connect` does; parse the URL once.

    *more* are parameters of libpq, and `may_write` as `open_session` takes it.
    """
    address = sa.make_url(url)
    _, target = address.get_dialect()().create_connect_args(address)
    options = str(target.pop("options", ""))
    # A pooler refuses or ignores `options`: the session sets the known ones itself.
    limits = {**LIMITS.get(role, {}), **dict(OWN_LIMIT.findall(options))}
    if rest := OWN_LIMIT.sub("", options).strip():
        target["options"] = rest
    if "," in str(target.get("host", "")) and more.get("may_write", True):
        target.setdefault("target_session_attrs", "primary")
    target.setdefault("application_name", f"recount {process_name(sys.argv)}")

    def open_one() -> Session:
        return open_session(limits, **{**target, **more})

    return open_one


def open_in_time(open_one: Callable[[], Session]) -> Session:
    """
    Open a session; inside `at_most_silent`, twice as long as that, or raise NoAnswer.

    It is opened by another thread, since a name's look-up and a connection's first
    answer cannot be interrupted. What comes too late is closed.
    """
    limit = silence_limit()
    if limit is None:
        return open_one()
    seconds = SILENCES_TO_OPEN * limit
    opened: Future[Session] = Future()

    def run() -> None:
        try:
            opened.set_result(open_one())
        except BaseException as error:
            opened.set_exception(error)

    threading.Thread(target=run, name="opening a session", daemon=True).start()
    try:
        return opened.result(seconds)
    except TimeoutError:
        opened.add_done_callback(close_late)
        raise NoAnswer(f"no session was opened within {seconds:.2f} s") from None


def close_late(opened: Future[Session]) -> None:
    if opened.exception() is None:
        opened.result().close()


@dataclass
class PoolExpiry:
    """The time before which opened sessions of a pool are unusable."""

    opened_until: float = float("-inf")


def pool_of(
    database_url: str, role: str = "operator", *, may_write: bool = True
) -> sa.Engine:
    """
    Return an engine with a small pool of its own, for a process of that *role*.

    With *may_write* false its sessions can only read, also from a standby.

    Checking each time, as `pool_pre_ping` does, was one round trip of the two that
    accepting a command takes. A session used a moment ago is trusted: if the server
    has gone since, the command is not accepted, or its drain is interrupted. An
    unusable session is closed when it is returned; if it could not write, so are all
    that are as old.
    """
    open_one = opener(database_url, role, may_write=may_write)
    doom = PoolExpiry()

    def create() -> Session:
        session = open_in_time(open_one)
        session.autocommit = False
        return session

    engine = sa.create_engine(
        sa.make_url(database_url),
        creator=create,
        # Sessions are kept after a burst, and the last one used is used next: opening
        # one takes longer than its work.
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
        # Never InvalidatePoolError: SQLAlchemy uses the wall clock there. After it is
        # set back, every session would be opened again until it has caught up.
        if session.opened_at <= doom.opened_until:
            raise sa.exc.DisconnectionError
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < IDLE:
            return
        began = time.monotonic()
        with suppress(Exception):
            session.look()
            if not session.is_spent:
                return
        limit = silence_limit()
        if limit is not None and time.monotonic() - began >= limit:
            # Another server answers instead: no second attempt at this one.
            raise NoAnswer("an idle session's server is silent")
        # The others of the pool are as old: all are opened again.
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
    Lend the psycopg connection of *pooled*.

    *pooled* is what `connect` or `begin` of a pool returns, and controls the
    transaction. After an exception not in *keep_after* the connection is closed: it
    may hold a stream's lock, or be in the middle of a pipeline, and the pool would
    neither notice nor release it.
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
    Return whether a session of the pool can write; takes one round trip.

    A session that cannot, or has changed since it was opened, is closed. Raises the
    driver's error if the database is away, and UnfitSession.
    """
    with lend(engine.connect()) as session:
        assert isinstance(session, Session)
        seen = session.look()
    return seen.is_same and not seen.is_read_only

"""Lending connections of a database for reading, where another one can answer."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolIsEmpty

from eventstore.connection import driver_connection
from eventstore.session_errors import UnfitSession
from eventstore.sessions.session import Session
from eventstore.sessions.silence import at_most_silent
from tasks.broker.circuit_breaker import Breaker, State
from tasks.shop.connections import pool_of

MAX_SILENCE = 0.08
"""Seconds after which a silent server is looked at; a look takes as long at most."""
MAX_SILENCE_OF_LAST = 1.0
"""The same, for a server that alone may answer."""
MAX_REST = 5.0
"""Seconds between two attempts at a server that does not answer, at most."""
STATES_OF_SERVER = ("08", "53", "57P", "58")
"""
States that tell of the server: no connection, no resources, a shutdown, its system.

Neither a cancelled statement nor a conflict with the recovery of a standby.
"""

log = logging.getLogger(__name__)

_is_last: ContextVar[bool] = ContextVar("no other database can answer", default=False)


@contextmanager
def asking_the_last() -> Iterator[None]:
    """
    Wait longer for databases that are lent inside, and whatever their breakers say.

    For when no other one can answer. A server of a busy machine is silent for longer
    than those wait who have a choice, and a slow answer is better than none.
    """
    token = _is_last.set(True)
    try:
        yield
    finally:
        _is_last.reset(token)


class NotAsked(psycopg.OperationalError):
    """A database did not answer a moment ago, and is left alone for a while."""


@dataclass
class LendingDatabase:
    """
    A database that queries are sent to, with a breaker that all processes share.

    *name* is what answers and logs call it. *make* returns its pool of connections, in
    autocommit, and is called once a process.
    """

    name: str
    make: Callable[[], sa.Engine]
    breaker: Breaker = field(
        default_factory=lambda: Breaker(threshold=1, longest_rest=MAX_REST)
    )

    @cached_property
    def engine(self) -> sa.Engine:
        return self.make()

    @contextmanager
    def lend(self) -> Iterator[sa.Connection]:
        """
        Lend a connection; a server that is silent is given up within 0.2 seconds.

        Inside of `asking_the_last` within two seconds.
        Raises NotAsked, UnfitSession, and the driver's errors as they are.
        """
        if not self.breaker.lets_through() and not _is_last.get():
            raise NotAsked(f"the {self.name} database did not answer a moment ago")
        silence = MAX_SILENCE_OF_LAST if _is_last.get() else MAX_SILENCE
        try:
            with at_most_silent(silence):
                connection = self.engine.connect()
            with connection, giving_up_silence(connection, silence):
                yield connection
        except BaseException as error:
            if is_of_server(error):
                self.note_failure(error)
            else:
                self.note_success()
            raise
        self.note_success()

    def note_failure(self, error: BaseException) -> None:
        was_closed = self.breaker.state is State.CLOSED
        self.breaker.failed()
        if was_closed and self.breaker.state is not State.CLOSED:
            cause = error.orig if isinstance(error, DBAPIError) else error
            what = f" {cause}" if isinstance(cause, UnfitSession) else ""
            log.warning(
                "the %s database is left alone: error=%s%s",
                self.name,
                type(cause).__name__,
                what,
            )

    def note_success(self) -> None:
        was_closed = self.breaker.state is State.CLOSED
        self.breaker.succeeded()
        if not was_closed:
            log.info("the %s database answers", self.name)

    def dispose(self, *, close: bool) -> None:
        """Drop the connections; in a forked process, without closing them."""
        if "engine" in vars(self):
            self.engine.dispose(close=close)


def reading_pool(url: str) -> sa.Engine:
    """Return a pool for reading alone from the database at *url*, in autocommit."""
    pool = pool_of(url, "reader", may_write=False)
    return pool.execution_options(isolation_level="AUTOCOMMIT")


@contextmanager
def giving_up_silence(connection: sa.Connection, silence: float) -> Iterator[None]:
    """Have the session look at its server after *silence*, in seconds."""
    session = driver_connection(connection)
    assert isinstance(session, Session)
    session.max_silence = silence
    try:
        yield
    finally:
        session.max_silence = None
        if session.closed:
            # Else the pool tries to end its transaction, and logs that it cannot.
            connection.invalidate()


def is_of_server(error: BaseException) -> bool:
    """Return whether *error* tells that the server is away, for whatever query."""
    if isinstance(error, PoolIsEmpty):
        # All are in use: it is busy, and not away.
        return False
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    return cause.sqlstate is None or cause.sqlstate.startswith(STATES_OF_SERVER)


@contextmanager
def answering_within(driver: psycopg.Connection[Any], seconds: float) -> Iterator[None]:
    """
    Give up a statement inside that takes longer, whatever its usual limit is.

    The last that can answer has as long as it may be silent.
    """
    assert isinstance(driver, Session)
    seconds = MAX_SILENCE_OF_LAST if _is_last.get() else seconds
    usual, driver.patience = driver.patience, seconds
    try:
        yield
    finally:
        driver.patience = usual

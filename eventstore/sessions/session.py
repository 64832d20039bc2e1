"""A connection that records its server and settings, and whether it is spent."""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from eventstore.session_errors import LOST_RIGHT_TO_WRITE, NoAnswer, ends_session
from eventstore.sessions.looking import Nature, SessionState, look
from eventstore.sessions.silence import is_answering, silence_limit
from eventstore.sessions.witness import Witness

T = TypeVar("T")

INTERVAL = 0.1
"""Seconds between two looks at how long an answer is awaited."""


class Session(psycopg.Connection[Any]):
    """
    A psycopg connection whose settings are known, and whose answers are watched.

    Everything that is asked over a connection passes `wait`. There an error that tells
    of the session is noted, and an answer that does not come is given up: the socket is
    closed, and NoAnswer raised. Three things are given up: a statement that takes
    longer than *patience* seconds, one that the server has answered, as *witness* finds
    by a connection of its own, and one whose server takes no connection after
    *max_silence* seconds, if there is such a limit, or one of `at_most_silent`.

    One that is only read by (*may_write* is false) is not spent if it cannot write.
    """

    opened_at: float = 0.0
    nature: Nature | None = None
    patience: float | None = None
    may_write: bool = True
    max_silence: float | None = None
    next_question: float = 0.0
    witness: Witness | None = None
    is_spent: bool = False
    has_lost_right_to_write: bool = False

    def wait(
        self,
        gen: Generator[Any, Any, T],
        interval: float = INTERVAL,
        timeout: float | None = None,
    ) -> T:
        limit = self.silence_limit
        if limit is not None:
            interval = min(interval, limit / 2)
        try:
            return super().wait(self.watched(gen, interval), interval, timeout)
        except psycopg.Error as error:
            self.note(error)
            raise

    def watched(
        self, gen: Generator[Any, Any, T], interval: float
    ) -> Generator[Any, Any, T]:
        """
        Pass on what *gen* waits for; see to it that it does not wait for ever.

        What is not ready is looked at after each *interval*, in seconds.
        """
        silent_since: float | None = None
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    silent_since = None
                elif silent_since is None:
                    silent_since = time.monotonic() - interval
                    self.next_question = self.silence_limit or 0.0
                    if self.witness:
                        self.witness.begin()
                else:
                    self.judge(time.monotonic() - silent_since)
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result

    @property
    def silence_limit(self) -> float | None:
        return silence_limit() if self.max_silence is None else self.max_silence

    def judge(self, silence: float) -> None:
        """Give up the answer that has not come for *silence* seconds, if it is lost."""
        if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
            return
        if self.patience is not None and silence > self.patience:
            self.give_up(f"PostgreSQL has not answered for {silence:.1f} s")
        limit = self.silence_limit
        if limit is not None and silence >= self.next_question:
            self.next_question = silence + limit
            if not is_answering(self, limit):
                self.give_up("PostgreSQL is silent, and takes no connection")
        if self.witness and self.nature and self.witness.sees_end(self.nature, silence):
            self.give_up("PostgreSQL has answered, and the answer is lost")

    def give_up(self, reason: str) -> None:
        self.is_spent = True
        self.pgconn.finish()
        raise NoAnswer(f"{reason}: the connection is closed")

    def note(self, error: psycopg.Error) -> None:
        """Take note of an error that this session will not get over."""
        self.is_spent = self.is_spent or ends_session(error)
        if error.sqlstate == LOST_RIGHT_TO_WRITE and self.may_write:
            self.has_lost_right_to_write = True

    def look(self) -> SessionState:
        """
        Look whether the session is what it was, and can write: in one round trip.

        One that is not, or stands in a transaction, is spent from then on. One that is
        only read by need not be able to write.
        """
        seen = SessionState(is_same=False, is_read_only=False)
        status = self.pgconn.transaction_status
        if self.nature is not None and status == TransactionStatus.IDLE:
            before = self.autocommit
            self.autocommit = True
            try:
                seen = look(self, self.nature)
            finally:
                if not self.closed:
                    self.autocommit = before
        has_lost_right = seen.is_read_only and self.may_write
        self.has_lost_right_to_write |= has_lost_right
        self.is_spent |= has_lost_right or not seen.is_same
        return seen

"""Seals: a hash over each stretch of the log and the seal before it."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.errors import CheckpointNotInLog
from eventstore.errors.refusals import raise_misplaced
from eventstore.subscriptions.catch_up import CaughtUp
from eventstore.subscriptions.stop_reasons import note_stop

NAME = "seals"
"""Of the subscription."""

STRETCH = 1_000
"""Events of one seal at most: the time of one, and what is read to name a fault."""

COLUMNS = "number, after, up_to, count, previous, sealed_at, hash"


@dataclass(frozen=True, slots=True)
class Seal:
    """
    A seal over a stretch of the log.

    *number* is its number in the chain, from 1. *after* and *up_to* are positions: the
    events begin behind the first and end with the second. *count* is their number.
    *previous* is the hash of the seal before it. *hash* has
    32 bytes: its own SHA-256.
    """

    number: int
    after: int
    up_to: int
    count: int
    previous: bytes
    sealed_at: datetime
    hash: bytes


def seal_log(
    connection: psycopg.Connection[Any],
    *,
    seconds: float = math.inf,
    stretch: int = STRETCH,
) -> CaughtUp:
    """
    Seal what is settled, in stretches of at most *stretch* events.

    Each stretch is one call and one transaction; *connection* is in autocommit. It is a
    subscription that computes in the database: the checkpoint moves with the seal, and
    another caller meanwhile returns at once. After *seconds* the rest is left to the
    next call. Seals that are not of this log are returned and noted as its error, and
    nothing is sealed behind them.
    """
    begin_chain(connection)
    until = time.monotonic() + seconds
    handled = 0
    while True:
        try:
            row = seal_stretch(connection, stretch)
        except CheckpointNotInLog as error:
            note_stop(connection, NAME, error)
            return CaughtUp(handled=handled, error=error)
        if row is None:
            return CaughtUp(handled=handled, is_held=True)
        handled += row[1]
        if row[2] or time.monotonic() > until:
            return CaughtUp(row[0], handled)


def seal_stretch(
    connection: psycopg.Connection[Any], stretch: int
) -> tuple[int, int, bool] | None:
    """
    Seal at most *stretch* events; return up to where, how many, and if these were all.

    None if another process is sealing. Raises CheckpointNotInLog.
    """
    try:
        # So that a refusal undoes no more than this in a transaction of the caller's.
        with connection.transaction():
            row = connection.execute(
                "SELECT checkpoint, handled, is_last FROM public.seal(%s)", (stretch,)
            ).fetchone()
    except psycopg.Error as error:
        raise_misplaced(error, NAME)
        raise
    return row


def begin_chain(
    connection: psycopg.Connection[Any], previous: bytes | None = None
) -> None:
    """
    Begin the chain of a log that has none.

    *previous* is the hash of the last seal of the log that this one was copied from:
    with it, the old log's exports still have something to be held against.
    """
    connection.execute("SELECT public.begin_seals(%s)", (previous,))


def newest_seals(connection: psycopg.Connection[Any], most: int = 1) -> Sequence[Seal]:
    """Return the newest seals, at most *most* (a number), in their order."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM public.seals ORDER BY number DESC LIMIT %s", (most,)
    ).fetchall()
    return [Seal(*row) for row in reversed(rows)]


class Origin(NamedTuple):
    """What the first seal tells: which log it is, and what it was copied from."""

    log: UUID
    previous: bytes


def find_origin(connection: psycopg.Connection[Any]) -> Origin | None:
    """Return where the chain begins; None where it has not, or that was taken away."""
    row = connection.execute(
        """
        SELECT imprint, previous FROM public.seals
        WHERE number = 0 AND octet_length(imprint) = 16
        """
    ).fetchone()
    return None if row is None else Origin(UUID(bytes=row[0]), row[1])

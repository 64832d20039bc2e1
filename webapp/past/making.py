"""
Copies of the past for a request: found, or wanted and waited for.

A copy that is not there is wanted of the filler, and waited for a moment. Then the
answer is how far it is: a page asks again by itself.
"""

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from flask import request

from eventstore.errors import MomentAhead, NoFoldVersion, NotSettled
from eventstore.past.moments import Moment, resolve_moment
from eventstore.past.registry import PastCopy, find_right
from eventstore.past.wishes import (
    count_wishes,
    drop_left_wishes,
    find_wish,
    note_waiting,
    want_copy,
)
from eventstore.projections.projection import Projection
from webapp.authorization import caller
from webapp.problems import Problem

MAX_SECONDS_TO_WAIT = 1.0
SECONDS_BETWEEN_LOOKS = 0.05
MAX_MOMENTS = 3
"""How many moments one person may wait for at the same time."""
SECONDS_OF_WISH = 300
"""Seconds after which a copy is not made that nobody has asked for again."""
LOCK = "hashtext('recount past'), hashtext(%s)"


class WantedCopy(NamedTuple):
    """A read model as of a time, *at*, or a *position*."""

    projection: Projection
    at: datetime | None
    position: int | None


def find_or_make(
    connection: psycopg.Connection[Any], wanted: Sequence[WantedCopy]
) -> list[PastCopy]:
    """
    Return the copies that are *wanted*.

    *connection* is in autocommit. Raises the Problem that they are being made, that a
    moment is still to come, that too many are wanted, or that one could not be made.
    """
    # Who asks again and again is answered at once.
    is_polling = "HX-Request" in request.headers
    until = time.monotonic() + (0 if is_polling else MAX_SECONDS_TO_WAIT)
    while True:
        try:
            found = [look(connection, *one) for one in wanted]
        except (MomentAhead, NotSettled) as error:
            raise Problem("bad-request", f"{error}") from error
        except NoFoldVersion as error:
            raise Problem("past-unavailable", f"{error}") from error
        missing = [copy for copy in found if copy.state != "ready"]
        if not missing:
            return found
        if time.monotonic() >= until:
            raise being_made(missing)
        time.sleep(SECONDS_BETWEEN_LOOKS)


def look(
    connection: psycopg.Connection[Any],
    projection: Projection,
    at: datetime | None,
    position: int | None,
) -> PastCopy:
    """Return the copy of a moment; if it is not ready, it is wanted from now on."""
    moment = resolve_moment(connection, at=at, position=position)
    while True:
        copy = find_right(connection, projection, moment)
        if copy is not None:
            return copy
        wish = find_wish(connection, projection, moment)
        if wish is not None:
            refuse_failed(wish)
            note_waiting(connection, wish)
            return wish
        drop_left_wishes(connection, SECONDS_OF_WISH)
        with connection.transaction():
            # Of several requests at once each would count before the others wish.
            connection.execute(f"SELECT pg_advisory_xact_lock({LOCK})", (who_asks(),))
            refuse_too_many(connection, moment)
            # If it was made in between, the next look finds it.
            want_copy(connection, projection, moment, who_asks())


def refuse_too_many(connection: psycopg.Connection[Any], moment: Moment) -> None:
    """Raise the Problem that a person waits for so many other moments already."""
    if count_wishes(connection, who_asks(), but=moment) >= MAX_MOMENTS:
        raise Problem("too-many-moments")


def who_asks() -> str:
    return caller().name


def refuse_failed(copy: PastCopy) -> None:
    if copy.state == "failed":
        raise Problem(
            "past-unavailable",
            f"The copy of {copy.read_model} could not be made: {copy.error}. It is"
            " tried again when somebody asks in half a minute.",
        )


def being_made(copies: Sequence[PastCopy]) -> Problem:
    """Return the Problem that *copies* are being made, with how far they are."""
    done, goal = sum(copy.done for copy in copies), sum(copy.goal for copy in copies)
    lefts = [copy.seconds_left for copy in copies]
    known = [left for left in lefts if left is not None]
    # One that waits for its turn takes as long as nobody knows.
    left = sum(known) if len(known) == len(copies) else None
    return Problem(
        "being-made",
        f"{done:,} of {goal:,} events of the log are read."
        if goal
        else "It begins in a moment.",
        events=done,
        of=goal,
        percent=100 * done // goal if goal else 0,
        seconds_left=None if left is None else round(left, 1),
    )

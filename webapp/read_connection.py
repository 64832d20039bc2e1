"""
Lend queries a connection when the read model is new enough, so writers see their work.

The requested position is the highest of `min_position` in the address and, on pages,
that of this browser's own commands. A query waits for it briefly; after that the
answer has older rows, and says how far they are behind.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa
from flask import g, request, session

from eventstore.connection import driver_connection
from eventstore.journal.undecided_commands import find_undecided
from eventstore.log.read import last_drawn
from eventstore.projections.freshness import Freshness, wait_for
from eventstore.projections.projection import Projection
from eventstore.subscriptions.standstill import AFTER
from webapp import query_parameters
from webapp.current_shop import the_shop

MAX_SECONDS_TO_WAIT = 1.5
"""Seconds that a query waits at most."""
FRESH = 10.0
"""Seconds after a browser's command in which its pages wait for the position."""
REMEMBERED = 600.0
"""Seconds after it in which a page says that it does not show the command yet."""
MAX_POSITION = 2**63 - 1


class ReadRequest(NamedTuple):
    """The requested position, and the seconds to wait for it at most."""

    position: int
    seconds: float


@contextmanager
def reading(*projections: Projection) -> Iterator[tuple[sa.Connection, Freshness]]:
    """
    Lend a query a connection, with the freshness of its read models.

    The connection is in autocommit: rows are at least as new as that position.
    """
    with the_shop().autocommitting.connect() as connection:
        # Wait and read on the same connection: two could be to different servers.
        driver = driver_connection(connection)
        forget_other_logs(driver)
        asked = position_asked()
        until = time.monotonic() + asked.seconds
        reached = [
            wait_for(
                driver,
                projection,
                asked.position,
                seconds=max(until - time.monotonic(), 0),
            )
            for projection in projections
        ]
        if is_asked_to_show():
            for projection, place in zip(projections, reached, strict=True):
                note_behind(projection, place)
        for projection, place in zip(projections, reached, strict=True):
            note_old_rows(projection.name, place)
        yield connection, least(reached)


def note_behind(projection: Projection, place: Freshness) -> None:
    """Have the page say how far a read model is behind, and what is left out of it."""
    if place.passed_over is None:
        g.behind = max(g.get("behind", 0), place.behind)
    else:
        g.passed_over = place.passed_over
    omission = place.parked.get(projection.name)
    # No row of it can be marked.
    if omission is not None and omission.number and not projection.streams:
        g.setdefault("left_out", {})[projection.name] = omission


def note_old_rows(name: str, place: Freshness) -> None:
    """Have the page say that rows of the read model *name* are old, if they are."""
    if place.standstill is not None:
        g.setdefault("standstills", {})[name] = place
    elif (place.seconds_behind or 0) >= AFTER.total_seconds():
        g.setdefault("laggards", {})[name] = place


def least(reached: Sequence[Freshness]) -> Freshness:
    """Return the freshness of rows made of all these read models: the lowest."""
    return Freshness(
        min(place.reached for place in reached),
        max(place.behind for place in reached),
        next((p.standstill for p in reached if p.standstill is not None), None),
        parked={name: what for p in reached for name, what in p.parked.items()},
        passed_over=next(
            (p.passed_over for p in reached if p.passed_over is not None), None
        ),
    )


def position_asked() -> ReadRequest:
    """Return the requested position, or that of this browser's commands, if higher."""
    named = 0
    if is_asked_to_show():
        named = (
            query_parameters.number("min_position", lowest=0, highest=MAX_POSITION) or 0
        )
    done, age = remembered_position()
    if named >= done:
        return ReadRequest(named, MAX_SECONDS_TO_WAIT)
    return ReadRequest(done, MAX_SECONDS_TO_WAIT if named or age < FRESH else 0)


def tell_undecided(connection: sa.Connection, stream_id: str) -> None:
    """Have the page name the undecidable command of a stream, if there is one."""
    g.undecided = find_undecided(connection, stream_id=stream_id, most=1)


def is_asked_to_show() -> bool:
    """Return whether the request is for a page, and not a posted form shown again."""
    return request.method in ("GET", "HEAD")


def forget_other_logs(connection: psycopg.Connection[Any]) -> None:
    """Forget a position beyond the end of the log: a backup was restored."""
    if remembered_position()[0] and remembered_position()[0] > last_drawn(connection):
        session.pop("done")


def remember(position: int | None) -> None:
    """Have this browser's next pages wait for *position*."""
    if position is not None and position > remembered_position()[0]:
        session["done"] = [position, time.time()]


def remembered_position() -> tuple[int, float]:
    """Return the position of this browser's commands, and its age in seconds."""
    # A program's cookies are ignored: it sends min_position.
    if request.path.startswith("/api/") or "done" not in session:
        return 0, 0
    position, moment = session["done"]
    # A time in the future, from before a clock was set back, counts as the same age in
    # the past.
    age = abs(time.time() - moment)
    return (position, age) if age < REMEMBERED else (0, 0)

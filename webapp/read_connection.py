"""
Lending a query a read model that is new enough: who wrote something sees it.

What is asked for is the highest of `min_position` in the address and, on pages, what
this browser's own commands have come to. It is waited for briefly; after that the
answer has what there is, and tells how far behind that is.
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
from webapp import query_parameters
from webapp.current_shop import the_shop

MAX_SECONDS_TO_WAIT = 1.5
"""Seconds that a query waits at most."""
FRESH = 10.0
"""Seconds for which what this browser did is waited for: no page is slow for ever."""
REMEMBERED = 600.0
"""Seconds for which a page that does not show it yet says so."""
MAX_POSITION = 2**63 - 1


class ReadRequest(NamedTuple):
    """The position that an answer shall have reached, and how long that may take."""

    position: int
    seconds: float


@contextmanager
def reading(*projections: Projection) -> Iterator[tuple[sa.Connection, Freshness]]:
    """
    Lend a query a connection, and say where the read models that it asks stand.

    The connection is in autocommit: what is read is at least as new as that position.
    """
    with the_shop().autocommitting.connect() as connection:
        # One connection waits and is then read from: two might be of two servers.
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
            g.behind = max(g.get("behind", 0), *(p.behind for p in reached))
            still = g.setdefault("standstills", {})
            for projection, place in zip(projections, reached, strict=True):
                if place.standstill is not None:
                    still[projection.name] = place.standstill
        yield connection, least(reached)


def least(reached: Sequence[Freshness]) -> Freshness:
    """Return where what is made of all these read models stands."""
    return Freshness(
        min(place.reached for place in reached),
        max(place.behind for place in reached),
        next((p.standstill for p in reached if p.standstill is not None), None),
    )


def position_asked() -> ReadRequest:
    """Return what the address asks for, or this browser's own, if that is further."""
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
    """Have the page say which command of a stream was tried in vain, if one was."""
    g.undecided = find_undecided(connection, stream_id=stream_id, most=1)


def is_asked_to_show() -> bool:
    """Return whether something is shown, and not a form that was sent shown again."""
    return request.method in ("GET", "HEAD")


def forget_other_logs(connection: psycopg.Connection[Any]) -> None:
    """Forget a position that this log has not come to: a backup was restored."""
    if remembered_position()[0] and remembered_position()[0] > last_drawn(connection):
        session.pop("done")


def remember(position: int | None) -> None:
    """Let this browser's next pages show what was done up to *position*."""
    if position is not None and position > remembered_position()[0]:
        session["done"] = [position, time.time()]


def remembered_position() -> tuple[int, float]:
    """Return how far this browser's commands have come, and how long ago that was."""
    # For a program no cookie counts: it asks with min_position.
    if request.path.startswith("/api/") or "done" not in session:
        return 0, 0
    position, moment = session["done"]
    # By as much as a clock may have been set back, it is as little known as if it had
    # passed.
    age = abs(time.time() - moment)
    return (position, age) if age < REMEMBERED else (0, 0)

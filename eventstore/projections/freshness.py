"""The freshness of a read model, and waiting for a position, to read one's writes."""

import time
from datetime import datetime
from typing import NamedTuple

import psycopg

from eventstore.projections.generations import shape_of
from eventstore.projections.projection import Projection
from eventstore.subscriptions.standstill import (
    COLUMNS,
    IDLE,
    MISSING,
    OUTDATED,
    Place,
    Standstill,
    explain,
)

PAUSE = 0.01


class Freshness(NamedTuple):
    """
    The position of a read model, and how far it is behind the one asked for.

    If it is stopped with something to read, it is behind by one position at least,
    whatever was asked for. *unread_since* is when the oldest event was recorded that it
    has not read, None if there is none or the time is unknown; *seconds_behind* is the
    age of that event, by the database's clock.
    """

    reached: int
    behind: int
    standstill: Standstill | None = None
    unread_since: datetime | None = None
    seconds_behind: float | None = 0.0


class ReadModelPlace(NamedTuple):
    """Where a read model stands, and where it can be expected to come."""

    reached: int
    goal: int
    drawn: int
    standstill: Standstill | None
    unread_since: datetime | None = None
    seconds_behind: float | None = 0.0


def wait_for(
    connection: psycopg.Connection,
    projection: Projection,
    position: int,
    *,
    seconds: float,
) -> Freshness:
    """
    Wait until the read model has reached *position*, but not longer than *seconds*.

    Later reads are at least as new as the returned position. It does not wait for a
    position beyond the log, nor for a stopped read model. *connection* is in
    autocommit: each look must see what was committed since the last one.
    """
    until = time.monotonic() + seconds
    while True:
        seen = look(connection, projection)
        behind = max(position - seen.reached, 0)
        if not behind or position > seen.goal or time.monotonic() >= until:
            if seen.standstill is not None:
                behind = max(behind, seen.drawn - seen.reached, 1)
            return Freshness(
                seen.reached,
                behind,
                seen.standstill,
                seen.unread_since,
                seen.seconds_behind,
            )
        time.sleep(PAUSE)


def look(connection: psycopg.Connection, projection: Projection) -> ReadModelPlace:
    """
    Return the checkpoint of the live generation, and the position it can reach.

    That is the last id that was drawn; or its checkpoint if it is stopped, or if it was
    made from another definition, and so is not caught up.
    """
    row = connection.execute(
        f"""
        SELECT g.shape, public.last_drawn(), {COLUMNS}
        FROM public.generations AS g
        LEFT JOIN public.subscriptions AS s ON s.name = g.read_model || '_g' || g.live
        WHERE g.read_model = %s
        """,
        (projection.name,),
    ).fetchone()
    if row is None:
        # The first generation is being filled, or does not exist yet.
        return ReadModelPlace(0, 0, 0, None)
    shape, drawn, *columns = row
    if columns[0] is None:
        # The position of its rows is unknown.
        return ReadModelPlace(
            0, 0, drawn, Standstill(None, MISSING), seconds_behind=None
        )
    place = Place(*columns)
    standstill = explain(connection, place, place.standstill())
    is_fit = shape == shape_of(projection)
    has_none_worse = standstill is None or standstill.because == IDLE
    if not is_fit and place.next_at is not None and has_none_worse:
        standstill = Standstill(place.moved_at, OUTDATED)
    is_followed = is_fit and standstill is None
    goal = drawn if is_followed else place.checkpoint
    return ReadModelPlace(
        place.checkpoint,
        goal,
        drawn,
        standstill,
        place.unread_since,
        place.seconds_behind,
    )

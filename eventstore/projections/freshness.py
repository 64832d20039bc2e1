"""The freshness of a read model, and waiting for a position, to read one's writes."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec
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
PARKED = """
    (
        SELECT jsonb_build_array(
            count(*) FILTER (WHERE p.dropped_at IS NULL),
            min(p.since) FILTER (WHERE p.dropped_at IS NULL)
        )
        FROM public.parked_streams AS p
        WHERE p.subscription = g.read_model || '_g' || g.live HAVING count(*) > 0
    ),
    (
        SELECT jsonb_build_array(p.stream_id, p.position, p.since)
        FROM public.events AS e
        JOIN public.parked_streams AS p ON p.stream_id = e.stream_id
        WHERE e.id = %(position)s AND p.position <= e.id
            AND p.subscription = g.read_model || '_g' || g.live
    )
"""
"""What is parked for `public.generations AS g`: how many streams, and one of them."""


class Omission(NamedTuple):
    """
    How many streams are parked for a read model, and the first of them *since* when.

    Those that were dropped are not counted: 0 and None if there are no others.
    """

    number: int
    since: datetime | None


class ParkedPosition(NamedTuple):
    """The stream of an event that is passed over: parked from *position* on."""

    stream_id: str
    position: int
    since: datetime


class Freshness(NamedTuple):
    """
    The position of a read model, and how far it is behind the one asked for.

    If it is stopped with something to read, it is behind by one position at least,
    whatever was asked for. *unread_since* is when the oldest event was recorded that it
    has not read, None if there is none or the time is unknown; *seconds_behind* is the
    age of that event, by the database's clock. *parked* has what is parked, by read
    model, if anything is, dropped streams too: only then rows can be marked.
    *passed_over* is the stream of the event that was asked for if that is parked: it is
    behind by one position at least then, and waiting does not help.
    """

    reached: int
    behind: int
    standstill: Standstill | None = None
    unread_since: datetime | None = None
    seconds_behind: float | None = 0.0
    parked: Mapping[str, Omission] = {}
    passed_over: ParkedPosition | None = None


class ReadModelPlace(NamedTuple):
    """Where a read model stands, and where it can be expected to come."""

    reached: int
    goal: int
    drawn: int
    standstill: Standstill | None
    unread_since: datetime | None = None
    seconds_behind: float | None = 0.0
    parked: Omission | None = None
    passed_over: ParkedPosition | None = None


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
    position beyond the log, nor for a stopped read model, nor for an event that is
    passed over. *connection* is in autocommit: each look must see what was committed
    since the last one.
    """
    until = time.monotonic() + seconds
    while True:
        seen = look(connection, projection, position)
        behind = max(position - seen.reached, 0)
        passed = seen.passed_over
        is_reachable = position <= seen.goal and passed is None
        if not behind or not is_reachable or time.monotonic() >= until:
            if seen.standstill is not None:
                behind = max(behind, seen.drawn - seen.reached, 1)
            if passed is not None:
                behind = max(behind, position - passed.position + 1)
            return Freshness(
                seen.reached,
                behind,
                seen.standstill,
                seen.unread_since,
                seen.seconds_behind,
                {} if seen.parked is None else {projection.name: seen.parked},
                passed,
            )
        time.sleep(PAUSE)


def look(
    connection: psycopg.Connection, projection: Projection, position: int = 0
) -> ReadModelPlace:
    """
    Return the checkpoint of the live generation, and the position it can reach.

    That is the last id that was drawn; or its checkpoint if it is stopped, or if it was
    made from another definition, and so is not caught up. *position* is that of an
    event of which it is asked whether it is passed over.
    """
    row = connection.execute(
        f"""
        SELECT g.shape, public.last_drawn(), {PARKED}, {COLUMNS}
        FROM public.generations AS g
        LEFT JOIN public.subscriptions AS s ON s.name = g.read_model || '_g' || g.live
        WHERE g.read_model = %(read_model)s
        """,
        {"read_model": projection.name, "position": position},
    ).fetchone()
    if row is None:
        # The first generation is being filled, or does not exist yet.
        return ReadModelPlace(0, 0, 0, None)
    shape, drawn, parked, passed_over, *columns = row
    parked = parked and msgspec.convert(parked, Omission)
    passed_over = passed_over and msgspec.convert(passed_over, ParkedPosition)
    if columns[0] is None:
        # The position of its rows is unknown.
        missing = Standstill(None, MISSING)
        return ReadModelPlace(0, 0, drawn, missing, None, None, parked, passed_over)
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
        parked,
        passed_over,
    )

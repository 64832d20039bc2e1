"""Where a read model stands, and waiting for it: reading what one has just written."""

import time
from typing import Any, NamedTuple

import psycopg

from eventstore.projections.generations import shape_of
from eventstore.projections.projection import Projection

PAUSE = 0.01


class Position(NamedTuple):
    """How far a read model has come, and how far it is behind what was asked."""

    reached: int
    behind: int


def wait_for(
    connection: psycopg.Connection[Any],
    projection: Projection,
    position: int,
    *,
    seconds: float,
) -> Position:
    """
    Wait until the read model has come to *position*, but not longer than *seconds*.

    What is read after that is at least as new as what is returned. A position that the
    log has not come to is not waited for, and a read model that has stopped neither.
    *connection* is in autocommit: each look must see what was committed since the last
    one.
    """
    until = time.monotonic() + seconds
    while True:
        reached, goal = look(connection, projection)
        behind = max(position - reached, 0)
        if not behind or position > goal or time.monotonic() >= until:
            return Position(reached, behind)
        time.sleep(PAUSE)


def look(
    connection: psycopg.Connection[Any], projection: Projection
) -> tuple[int, int]:
    """
    Return the checkpoint of the live generation, and where it can be expected to come.

    That is the last id that was drawn; or no further, where it has stopped, or where
    nobody keeps it up to date, since it was made from another definition.
    """
    row = connection.execute(
        """
        SELECT
            coalesce(max(s.checkpoint), 0),
            CASE
                WHEN count(s.stopped_at_position) = 0 AND max(g.shape) = %s
                    THEN public.last_drawn()
                ELSE coalesce(max(s.checkpoint), 0)
            END
        FROM public.generations AS g
        JOIN public.subscriptions AS s ON s.name = g.read_model || '_g' || g.live
        WHERE g.read_model = %s
        """,
        (shape_of(projection), projection.name),
    ).fetchone()
    assert row is not None
    return row[0], row[1]

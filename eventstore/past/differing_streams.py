"""The streams by which a moment differs from the live rows, and how much they are."""

from collections.abc import Set
from typing import Any

import psycopg

from eventstore.past.moments import Moment
from eventstore.projections.projection import Projection


def find_differing(
    connection: psycopg.Connection[Any],
    projection: Projection,
    moment: Moment,
    checkpoint: int,
) -> set[str]:
    """
    Return the streams with an event in the moment and not in the rows, or the reverse.

    *checkpoint* is the position that the rows have read. As of a time these are at most
    the streams with a later event, of whatever type, and those with a newer event.
    """
    rows = connection.execute(
        """
        SELECT DISTINCT stream_id FROM public.events
        WHERE id <= greatest(%(checkpoint)s, %(up_to)s) AND (
            id > least(%(checkpoint)s, %(up_to)s)
            OR occurred_at > %(at)s::timestamptz
        )
        """,
        {**moment.parameters, "checkpoint": checkpoint},
    )
    categories = {*projection.streams.values()}
    categories |= {lookup.category for lookup in projection.lookups if lookup.category}
    return {s for (s,) in rows if s.partition("-")[0] in categories}


def count_feeding(projection: Projection, streams: Set[str]) -> int:
    """Return how many of *streams* feed a row that many others feed, too."""
    feeding = {lookup.category for lookup in projection.lookups if lookup.feeds}
    return sum(stream.partition("-")[0] in feeding for stream in streams)


def has_more_events(
    connection: psycopg.Connection[Any],
    projection: Projection,
    moment: Moment,
    streams: Set[str],
    most: int,
) -> bool:
    """Return whether *streams* have more than *most* events in the moment to fold."""
    row = connection.execute(
        """
        SELECT count(*) FROM (
            SELECT FROM public.events
            WHERE stream_id = ANY (%(streams)s) AND id <= %(up_to)s
                AND (%(at)s::timestamptz IS NULL OR occurred_at <= %(at)s)
                AND type = ANY (%(types)s)
            LIMIT %(limit)s
        ) AS found
        """,
        {
            **moment.parameters,
            "streams": sorted(streams),
            "types": list(projection.types),
            "limit": most + 1,
        },
    ).fetchone()
    assert row is not None
    return int(row[0]) > most

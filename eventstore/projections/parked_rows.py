"""Which rows of a read model are old, because one of their streams is parked."""

from collections.abc import Sequence
from typing import Any

import psycopg

from eventstore.projections.parked_streams import ParkedStream, find_parked
from eventstore.projections.projection import Projection, Row


def find_parked_of_rows(
    connection: psycopg.Connection[Any], projection: Projection, rows: Sequence[Row]
) -> list[list[ParkedStream]]:
    """
    Return for each of *rows* its streams that are parked, the longest parked first.

    Dropped ones are among them: the row is as old. It is one question for all *rows*,
    which are of the read model's view or of its table.
    """
    streams = [projection.streams_of(row) for row in rows]
    asked = sorted({stream_id for some in streams for stream_id in some})
    if not asked:
        return [[] for _ in rows]
    found = sorted(
        find_parked(connection, projection.name, asked), key=lambda one: one.since
    )
    return [[one for one in found if one.stream_id in some] for some in streams]

"""
Tell bad code from a bad event, before anything is parked.

One event that cannot be projected parks its stream. If the code is at fault, it would
park them all: so a few other streams are folded once more with the same code. Where
they fail in the same way, nothing is parked, and the read model stops and says so.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject
from eventstore.projections.folding import Failure
from eventstore.projections.parked_streams import kind_of_error
from eventstore.projections.projection import Projection
from eventstore.projections.recompute import Recomputation
from eventstore.projections.tables import Tables

STREAMS = 200
"""The last streams that were written to: by more than half of them code is bad."""
MIN_STREAMS = 3
"""With fewer streams than these nobody can tell."""
TRIED = 20
"""So many of them are folded once more."""
SPAN = 50_000
"""Positions in which they are looked for."""


def refuse_bad_code(
    connection: psycopg.Connection[Any],
    projection: Projection,
    tables: Tables,
    masters: MasterKeys | None,
    failures: Sequence[Failure],
) -> None:
    """
    Raise CannotProject for the first of *failures* where the code is at fault.

    That is so if more than half of the last 200 streams fail with the same class of
    error in the same line: as far as they are parked, are among *failures*, or, of 20
    others, fail when they are folded.
    """
    own = [failure for failure in failures if failure.because_of is None]
    if not own:
        return
    up_to = max(failure.position for failure in own)
    recent = find_recent_streams(connection, projection, up_to)
    if len(recent) < MIN_STREAMS:
        return
    failing = {failure.stream_id: kind_of_error(failure.error) for failure in own}
    known = find_kinds(connection, tables, recent) | {
        stream_id: kind for stream_id, kind in failing.items() if stream_id in recent
    }
    others = [stream_id for stream_id in recent if stream_id not in known]
    tried = others[:TRIED]
    trial = Recomputation(connection, projection, tables, masters, up_to)
    kinds = Counter(
        kind_of_error(failure.error)
        for failure in (trial.run(set(tried), {}).failures if tried else ())
        if failure.stream_id in tried
    )
    counted = Counter(known.values())
    for failure in own:
        kind = failing[failure.stream_id]
        in_others = len(others) * kinds[kind] / max(len(tried), 1)
        if (counted[kind] + in_others) * 2 > len(recent):
            raise CannotProject(failure.position, failure.error) from failure.error


def find_recent_streams(
    connection: psycopg.Connection[Any], projection: Projection, up_to: int
) -> list[str]:
    """Return the streams of the projection's last events, the latest first."""
    rows = connection.execute(
        """
        SELECT stream_id FROM public.events
        WHERE id > %s AND id <= %s AND type = ANY (%s)
        ORDER BY id DESC LIMIT %s
        """,
        (up_to - SPAN, up_to, list(projection.types), STREAMS * 10),
    )
    return list(dict.fromkeys(stream_id for (stream_id,) in rows))[:STREAMS]


def find_kinds(
    connection: psycopg.Connection[Any], tables: Tables, streams: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Return the class and line of the error for which streams are parked."""
    rows = connection.execute(
        "SELECT stream_id, error, line FROM public.parked_streams"
        " WHERE subscription = %s AND stream_id = ANY (%s)",
        (tables.name, list(streams)),
    )
    return {stream_id: (error, line) for stream_id, error, line in rows}

"""Reading: a stream, several streams, and the log up to what is settled."""

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg

from eventstore.log.events import RecordedEvent

_COLUMNS = "id, stream_id, type, version, data::text, metadata::text, occurred_at"


def read_stream(
    connection: psycopg.Connection[Any], stream_id: str
) -> list[RecordedEvent]:
    """Return the events of a stream in order, in one round trip."""
    return read_streams(connection, [stream_id])[stream_id]


def read_streams(
    connection: psycopg.Connection[Any], stream_ids: Iterable[str]
) -> dict[str, list[RecordedEvent]]:
    """Return the events of each stream in order, in one round trip for all of them."""
    streams: dict[str, list[RecordedEvent]] = {s: [] for s in stream_ids}
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM public.events
        WHERE stream_id = ANY (%s) ORDER BY stream_id, version
        """,
        (list(streams),),
    )
    for row in rows:
        streams[row[1]].append(RecordedEvent(*row))
    return streams


def settled(connection: psycopg.Connection[Any]) -> int:
    """
    Return the position up to which no transaction can still bring in an event.

    Read events in a statement of its own *after* this one: the same statement would
    read them in a snapshot that is older than the answer.
    """
    row = connection.execute("SELECT public.settled()").fetchone()
    assert row is not None
    return int(row[0])


def read_all(
    connection: psycopg.Connection[Any],
    *,
    after: int,
    up_to: int,
    limit: int,
    types: Sequence[str] | None = None,
) -> list[RecordedEvent]:
    """
    Return events of the log in order: behind *after*, up to *up_to*, at most *limit*.

    *up_to* must not be beyond what `settled` said before this transaction's snapshot.
    """
    only = "" if types is None else "AND type = ANY (%(types)s)"
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM public.events
        WHERE id > %(after)s AND id <= %(up_to)s {only} ORDER BY id LIMIT %(limit)s
        """,
        {"after": after, "up_to": up_to, "limit": limit, "types": list(types or ())},
    )
    return [RecordedEvent(*row) for row in rows]

"""
Read a stream, or the log up to *settled*.

A stream may be read at any time: no event is ever added before those that were read.
Across streams that holds only up to the position that `settled` returns.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from eventstore.errors import NotSettled
from eventstore.log.events import RecordedEvent

MAX_VERSION = 2**31 - 1
COLUMNS = "id, stream_id, type, version, data::text, metadata::text, occurred_at"
"""The columns of events as `RecordedEvent` takes them."""

BATCH = 1_000
SPAN = 50_000
"""
Positions that one statement scans, whatever its limit of events.

Rare types of events are found by many short statements, and not by one that exceeds its
time limit.
"""


def read_stream(
    connection: psycopg.Connection[Any],
    stream_id: str,
    *,
    after: int = 0,
    up_to: int = MAX_VERSION,
    backwards: bool = False,
    limit: int | None = None,
) -> list[RecordedEvent]:
    """
    Return events of a stream, in order.

    *after* and *up_to* are versions: the events begin behind the first and end with the
    second. *backwards* begins with the last of them. Without *limit* all are returned.
    """
    rows = connection.execute(
        f"""
        SELECT {COLUMNS} FROM public.events
        WHERE stream_id = %s AND version > %s AND version <= %s
        ORDER BY version {direction(backwards)} LIMIT %s
        """,
        (stream_id, after, up_to, limit),
    )
    return [RecordedEvent(*row) for row in rows]


def direction(backwards: bool) -> str:
    return "DESC" if backwards else "ASC"


def last_drawn(connection: psycopg.Connection[Any]) -> int:
    """Return the last position drawn for an event, committed or not."""
    row = connection.execute("SELECT public.last_drawn()").fetchone()
    assert row is not None
    return int(row[0])


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
    category: str | None = None,
    only: str = "true",
    backwards: bool = False,
) -> list[RecordedEvent]:
    """
    Return at most *limit* events of the log, in order.

    *after* and *up_to* are positions: the events begin behind the first and end with
    the second, which must not be beyond what `settled` returned before this
    transaction's snapshot. *backwards* begins with the last of them. *types* and
    *category* leave out other events, None leaves out none, and so does
    the text *only* of a condition in SQL.

    A batch may end between two events of one append: by its *limit*, or because what is
    settled ends there while another writer is at work.
    """
    of_types = "" if types is None else "AND type = ANY (%(types)s)"
    of_category = (
        "" if category is None else "AND split_part(stream_id, '-', 1) = %(category)s"
    )
    rows = connection.execute(
        f"""
        SELECT {COLUMNS} FROM public.events
        WHERE id > %(after)s AND id <= %(up_to)s {of_types} {of_category} AND {only}
        ORDER BY id {direction(backwards)} LIMIT %(limit)s
        """.encode(),
        {
            "after": after,
            "up_to": up_to,
            "limit": limit,
            "types": list(types or ()),
            "category": category,
        },
    )
    return [RecordedEvent(*row) for row in rows]


def scan(
    connection: psycopg.Connection[Any],
    *,
    after: int = 0,
    up_to: int | None = None,
    types: Sequence[str] | None = None,
    category: str | None = None,
) -> Iterator[RecordedEvent]:
    """
    Yield the events of the log in order; at most a thousand are in memory at a time.

    *after* and *up_to* are positions: the events begin behind the first and end with
    the second, or without it with what is settled when the scan begins. *types* and
    *category* leave out other events, None leaves out none. In autocommit each batch is
    a transaction of its own; nothing is held while the caller is at work.

    Raises NotSettled for an *up_to* where events may still come.
    """
    end = end_of(connection, up_to)
    while after < end:
        reached = min(after + SPAN, end)
        events = read_all(
            connection,
            after=after,
            up_to=reached,
            limit=BATCH,
            types=types,
            category=category,
        )
        yield from events
        after = events[-1].position if len(events) == BATCH else reached


def scan_back(
    connection: psycopg.Connection[Any],
    *,
    after: int = 0,
    up_to: int | None = None,
    types: Sequence[str] | None = None,
    category: str | None = None,
) -> Iterator[RecordedEvent]:
    """
    Yield the same events as `scan`, the last one first.

    *after* and *up_to* are positions, as there. Raises NotSettled as `scan` does.
    """
    end = end_of(connection, up_to)
    while after < end:
        reached = max(end - SPAN, after)
        events = read_all(
            connection,
            after=reached,
            up_to=end,
            limit=BATCH,
            types=types,
            category=category,
            backwards=True,
        )
        yield from events
        end = events[-1].position - 1 if len(events) == BATCH else reached


def end_of(connection: psycopg.Connection[Any], up_to: int | None) -> int:
    """Return the last position to read. Raises NotSettled if it is not settled yet."""
    last = settled(connection)
    if up_to is not None and up_to > last:
        raise NotSettled(up_to, last)
    return last if up_to is None else up_to

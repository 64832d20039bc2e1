"""
Append many events of many streams at once, all or nothing.

It calls the same function of the database as any append, with the same locks, checks
and fence. Only the limits differ: they depend on the table of locks, of which each
stream takes one, and on how long the readers' fence may be held.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import psycopg

from eventstore.claims import ClaimChange
from eventstore.errors.unstorable import TooManyBytes, TooManyEvents, TooManyStreams
from eventstore.log.append import call_append
from eventstore.log.arguments import append_arguments, later_arguments
from eventstore.log.events import AppendedEvent, NewEvent
from eventstore.log.limits import check_event, check_stream_id

MAX_EVENTS = 10_000
"""Of one bulk append: about half a second, in which readers wait for later events."""
MAX_STREAMS = 4_000
"""Each takes a lock; a PostgreSQL with 100 connections has room for some 14,000."""
MAX_BYTES = 16 * 1024 * 1024
"""Of all data together, as JSON."""

BATCH_EVENTS = 1_000
"""The size of `batches`: larger ones are no faster, and block others for longer."""
BATCH_BYTES = 4 * 1024 * 1024


def append_bulk(
    connection: psycopg.Connection[Any],
    events: Sequence[tuple[str, NewEvent]],
    *,
    expected: Mapping[str, int],
    claims: Sequence[ClaimChange] = (),
    new_keys: str | None = None,
    forgotten: Sequence[str] = (),
) -> list[AppendedEvent]:
    """
    Append many *events*, and return the place of each in the log and in its stream.

    *events* has pairs of a stream id and an event: at most 10,000, of 4,000 streams and
    16 MiB. *expected* has the version of every stream, as for `append`; *claims*,
    *new_keys* (JSON text) and *forgotten* are as there. The same events again are
    answered with the places of the first time.

    Raises WrongExpectedVersion, AlreadyClaimed or KeyMadeElsewhere, and has then done
    nothing. Raises an Unstorable error, before it asks the database, for what is too
    much or cannot be stored.
    """
    check_bulk(expected, events)
    parts = [
        append_arguments(events, expected),
        later_arguments(claims, new_keys, forgotten),
    ]
    return call_append(connection, "append", events, expected, parts)


def check_bulk(
    stream_ids: Mapping[str, int], events: Sequence[tuple[str, NewEvent]]
) -> None:
    """Raise one of the Unstorable errors for what a bulk append must not have."""
    if len(events) > MAX_EVENTS:
        raise TooManyEvents(len(events), MAX_EVENTS)
    if len(stream_ids) > MAX_STREAMS:
        raise TooManyStreams(len(stream_ids), MAX_STREAMS)
    for stream_id in stream_ids:
        check_stream_id(stream_id)
    size = 0
    for _, event in events:
        check_event(event)
        size += size_of(event.data)
    if size > MAX_BYTES:
        raise TooManyBytes(size, MAX_BYTES)


def batches(data: Iterable[str]) -> Iterator[range]:
    """
    Yield the ranges of indexes by which to cut events for `append_bulk`.

    *data* has the JSON text of each event. The cut goes by their number and size alone,
    so that it is the same whenever it is made.
    """
    start = end = size = 0
    for end, text in enumerate(data, start=1):
        size += size_of(text)
        if end - start == BATCH_EVENTS or size >= BATCH_BYTES:
            yield range(start, end)
            start, size = end, 0
    if start < end:
        yield range(start, end)


def size_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())

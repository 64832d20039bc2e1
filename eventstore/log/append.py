"""Append events to one or several streams, all or nothing, in one round trip."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from eventstore.claims import ClaimChange
from eventstore.errors.refusals import raise_refusal
from eventstore.log.arguments import (
    Arguments,
    append_arguments,
    later_arguments,
)
from eventstore.log.events import AppendedEvent, NewEvent
from eventstore.log.limits import check_append

NO_STREAM = 0
"""The stream must not exist: an empty stream is at version 0."""
STREAM_EXISTS = -1
"""The stream must have an event, whatever its version."""
ANY_VERSION = -2
"""
Whatever the stream's version is.

Without a number nothing tells a second append of the same events from new ones.
"""


def append(
    connection: psycopg.Connection[Any],
    events: Sequence[tuple[str, NewEvent]],
    *,
    expected: Mapping[str, int],
    claims: Sequence[ClaimChange] = (),
    new_keys: str | None = None,
    forgotten: Sequence[str] = (),
) -> list[AppendedEvent]:
    """
    Append *events*, and return the place of each in the log and in its stream.

    *events* has pairs of a stream id and an event, at most 1,000. *expected* has the
    version of every stream that is written or was only read, or NO_STREAM,
    STREAM_EXISTS or ANY_VERSION; *claims* what these streams claim by the events, or
    release. In autocommit this is one round trip and one transaction; in a transaction
    of the caller's it is part of that.

    *new_keys* is JSON text, as `Keyring.new_keys` returns it: the keys that personal
    fields of the events are encrypted with. *forgotten* are ids of streams: the keys of
    these subjects are destroyed.

    Raises WrongExpectedVersion, AlreadyClaimed or KeyMadeElsewhere, and has then done
    nothing. Raises an Unstorable error, before it asks the database, for what the log
    does not take.
    """
    check_append(expected, events)
    parts = [append_arguments(events, expected)]
    if claims or new_keys or forgotten:
        # Most appends end with the events, and each argument costs the driver its time.
        parts.append(later_arguments(claims, new_keys, forgotten))
    return call_append(connection, "append", events, expected, parts)


def call_append(
    connection: psycopg.Connection[Any],
    function: str,
    events: Sequence[tuple[str, NewEvent]],
    expected: Mapping[str, int],
    parts: Sequence[Arguments],
) -> list[AppendedEvent]:
    """Call *function* with *parts*, and raise our own errors for its refusals."""
    try:
        row = connection.execute(
            "SELECT positions, versions"
            f" FROM public.{function}({', '.join(part.places for part in parts)})",
            [value for part in parts for value in part.values],
        ).fetchone()
    except psycopg.Error as error:
        raise_refusal(error, expected)
    assert row is not None
    positions, versions = row
    return [
        AppendedEvent(position, stream_id, version)
        for position, (stream_id, _), version in zip(
            positions, events, versions, strict=True
        )
    ]

"""Appending: events for one or several streams, all or nothing, in one round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.errors import raise_refusal
from eventstore.log.claims import ClaimChange, claims_argument
from eventstore.log.events import Appended, NewEvent
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

# JSON goes in binary form: as text, each of its quotes would be escaped by Python, and
# that took three quarters of the time that a hundred events need.
ARGUMENTS = """
    %s::text[], %s::int[], %s::int[], %s::text[], %b::text[]::jsonb[],
    %b::text[]::jsonb[], %s::timestamptz[], %s::uuid[], %s::text[],
    %b::text[]::jsonb[]
"""
LATER_ARGUMENTS = "%b::text::jsonb, %s::text::jsonb, %s::text[]"
"""Claims, new keys, and who is forgotten."""
_APPEND = f"""
    SELECT id, stream_id, version
    FROM public.append({ARGUMENTS}, {LATER_ARGUMENTS})
"""

_to_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What became of a command, written in the transaction of its events."""

    command_id: UUID
    status: str
    error: Mapping[str, Any] | None = None


def append(
    connection: psycopg.Connection[Any],
    events: Sequence[tuple[str, NewEvent]],
    *,
    expected: Mapping[str, int],
    completing: Sequence[Completion] = (),
    claims: Sequence[ClaimChange] = (),
    new_keys: str | None = None,
    forgotten: Sequence[str] = (),
) -> list[Appended]:
    """
    Append *events*, each with its stream, and return where they came to stand.

    *expected* has the version of every stream that is written or was only read;
    *claims* what these streams claim by the events, or release. In autocommit this is
    one round trip and one transaction; in a transaction of the caller's it is part of
    that.

    *new_keys* are those that its personal fields are encrypted with, as a keyring has
    made them; the keys of the subjects *forgotten* are destroyed.

    Raises WrongExpectedVersion, CommandAlreadyFinished, AlreadyClaimed or
    KeyMadeElsewhere, and has then done nothing; and Unstorable before it asks, for what
    the log does not take.
    """
    check_append(expected, events)
    try:
        rows = connection.execute(
            _APPEND,
            (
                *append_arguments(events, expected, completing),
                claims_argument(claims),
                new_keys,
                list(forgotten),
            ),
        ).fetchall()
    except psycopg.Error as error:
        raise_refusal(error, expected)
    return [Appended(*row) for row in rows]


def append_arguments(
    events: Sequence[tuple[str, NewEvent]],
    expected: Mapping[str, int],
    completing: Sequence[Completion],
) -> tuple[list[Any], ...]:
    """Return what the function `append` takes, in its order."""
    streams = {stream_id: place for place, stream_id in enumerate(expected, start=1)}
    return (
        list(expected),
        list(expected.values()),
        [streams[stream_id] for stream_id, _ in events],
        [event.type for _, event in events],
        [event.data for _, event in events],
        [_to_json(event.metadata).decode() for _, event in events],
        [event.occurred_at for _, event in events],
        [done.command_id for done in completing],
        [done.status for done in completing],
        [
            None if done.error is None else _to_json(done.error).decode()
            for done in completing
        ],
    )

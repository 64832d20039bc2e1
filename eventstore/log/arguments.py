"""
The arguments of the function `append`: arrays in PostgreSQL's notation.

The driver converts a list item by item, each by its type: that, and empty arguments,
took a third of the client's time for one event.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from eventstore.claims import ClaimChange, claims_argument
from eventstore.log.events import NewEvent

_to_json = msgspec.json.Encoder().encode


class Arguments(NamedTuple):
    """The placeholders in a function's call, and their values."""

    places: str
    values: tuple[Any, ...]


def append_arguments(
    events: Sequence[tuple[str, NewEvent]], expected: Mapping[str, int]
) -> Arguments:
    """Return the first arguments of `append`: streams and their events."""
    streams = {stream_id: place for place, stream_id in enumerate(expected, start=1)}
    data = json_array([event.data for _, event in events])
    metadata = json_array([_to_json(event.metadata).decode() for _, event in events])
    return Arguments(
        f"%s::text[], %s::int[], %s::int[], %s::text[], {data.places},"
        f" {metadata.places}, %s::timestamptz[]",
        (
            text_array(expected),
            plain_array(expected.values()),
            plain_array([streams[stream_id] for stream_id, _ in events]),
            text_array([event.type for _, event in events]),
            *data.values,
            *metadata.values,
            plain_array([time_of(event.occurred_at) for _, event in events]),
        ),
    )


def later_arguments(
    claims: Sequence[ClaimChange], new_keys: str | None, forgotten: Sequence[str]
) -> Arguments:
    """Return rarely used arguments: claims, new keys, and forgotten subjects."""
    return Arguments(
        "%b::text::jsonb, %s::text::jsonb, %s::text[]",
        (claims_argument(claims), new_keys, text_array(forgotten)),
    )


def text_array(texts: Iterable[str]) -> str:
    """Return a PostgreSQL array literal of texts, each quoted and escaped."""
    inner = '","'.join([t.replace("\\", r"\\").replace('"', r"\"") for t in texts])
    # To distinguish an empty array from one with a single empty text.
    return f'{{"{inner}"}}' if inner or texts else "{}"


def plain_array(values: Iterable[object]) -> str:
    """Return an array of numbers, ids or times, which need no quotes."""
    return f"{{{','.join(map(str, values))}}}"


def time_of(moment: datetime | None) -> str:
    return "NULL" if moment is None else moment.isoformat()


def json_array(texts: Sequence[str | None]) -> Arguments:
    """
    Return an array of JSON, which goes in binary form.

    As text each of its quotes would be escaped, which took three quarters of the time
    of a hundred events. A single text is sent unchanged.
    """
    if len(texts) == 1:
        return Arguments("ARRAY[%b::text]::jsonb[]", (texts[0],))
    if any(text is not None for text in texts):
        return Arguments("%b::text[]::jsonb[]", (texts,))
    # An element beyond the end of an array is NULL, too.
    return Arguments("'{}'::jsonb[]", ())

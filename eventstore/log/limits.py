"""
The limits of the log, checked before sending, so that errors are clear.

PostgreSQL would refuse most of it too, with its own messages and after the round trip;
the rest it would accept, to the cost of readers.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from eventstore.errors.unstorable import (
    BadStreamId,
    BadTypeName,
    NotANumber,
    TooLarge,
    TooManyEvents,
    UnstorableText,
)
from eventstore.log.events import NewEvent
from eventstore.type_shape import shape_of

MAX_EVENTS = 1_000
"""Of one append: it locks its streams, and holds the readers' fence, until its end."""
MAX_DATA_BYTES = 256 * 1024
"""Bytes of an event's data, as JSON."""
MAX_METADATA_BYTES = 16 * 1024
"""Bytes of an event's metadata, as JSON."""
MAX_STREAM_ID_LENGTH = 255
MAX_TYPE_LENGTH = 128

# Neither control characters nor surrogates, nor other line separators.
_PLAIN = "[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+"
_STREAM_ID = re.compile(f"[a-z][a-z0-9_]*-{_PLAIN}")
_TYPE = re.compile(_PLAIN)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_MAY_HOLD_FLOATS = re.compile(
    r"\b(float|complex|Any|object)\b|~"
    r"|\b(dict|list|tuple|set|frozenset|Mapping|Sequence|Iterable|Collection)\b(?!\[)"
)
_encode = msgspec.json.Encoder().encode


def check_append(
    stream_ids: Iterable[str], events: Sequence[tuple[str, NewEvent]]
) -> None:
    """Raise one of the Unstorable errors if an append breaks a limit."""
    check_count(len(events))
    for stream_id in stream_ids:
        check_stream_id(stream_id)
    for _, event in events:
        check_event(event)


def check_count(count: int) -> None:
    if count > MAX_EVENTS:
        raise TooManyEvents(count, MAX_EVENTS)


def check_stream_id(stream_id: str) -> None:
    """Raise BadStreamId for one that is not like `order-10248`."""
    if len(stream_id) > MAX_STREAM_ID_LENGTH or not _STREAM_ID.fullmatch(stream_id):
        raise BadStreamId(stream_id, MAX_STREAM_ID_LENGTH)


def check_event(event: NewEvent) -> None:
    """Raise an Unstorable error for an event's type, data or metadata."""
    if len(event.type) > MAX_TYPE_LENGTH or not _TYPE.fullmatch(event.type):
        raise BadTypeName(event.type, MAX_TYPE_LENGTH)
    check_json(event.data, "data", event.type, MAX_DATA_BYTES)
    try:
        metadata = _encode(event.metadata).decode()
    except UnicodeEncodeError as error:
        raise UnstorableText("metadata", event.type) from error
    check_json(metadata, "metadata", event.type, MAX_METADATA_BYTES)


def check_json(text: str, part: str, event_type: str, most: int) -> None:
    """Raise for JSON text that is too large, or that PostgreSQL does not store."""
    # ASCII has as many bytes as characters, and no surrogates.
    size = len(text) if text.isascii() else size_of(text, part, event_type)
    if size > most:
        raise TooLarge(part, event_type, size, most)
    if "\0" in text or ("\\u" in text and not is_storable(unescape(text))):
        raise UnstorableText(part, event_type)
    if "NaN" in text or "Infinity" in text:
        # Within a string that is fine; as a number it is no JSON.
        try:
            msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise NotANumber(part, event_type) from error


def size_of(text: str, part: str, event_type: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError as error:
        raise UnstorableText(part, event_type) from error


def unescape(text: str) -> str:
    """Return JSON with its escapes replaced by their characters."""
    return _ESCAPE.sub(lambda e: chr(int(e[1], 16)) if e[1] else " ", text)


def is_storable(text: str) -> bool:
    """Return whether *text* has no NUL and no lone surrogate."""
    try:
        text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        return False
    return "\0" not in text


def check_numbers(value: Any) -> None:
    """
    Raise NotANumber for a NaN or an infinity anywhere in *value*.

    JSON has no such numbers, and msgspec writes null instead: another value would be
    read back.
    """
    kind: Any = type(value)
    if may_hold_floats(kind):
        for path in places_of_none(msgspec.to_builtins(value)):
            raise NotANumber(path, kind.__name__)


@cache
def may_hold_floats(kind: Any) -> bool:
    """Return whether values of a class can have floats, by the types of its fields."""
    try:
        return _MAY_HOLD_FLOATS.search(shape_of(kind)) is not None
    except NameError:
        # A class inside of a function, whose names cannot be resolved.
        return True


def places_of_none(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths in plain *value* of NaN and infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        yield path
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from places_of_none(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from places_of_none(part, f"{path}.{index}")

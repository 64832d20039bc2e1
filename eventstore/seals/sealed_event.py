"""Parses the imprint of a seal: the sealed form of each of its events."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
INFINITY = 2**63 - 1


class SealedEvent(NamedTuple):
    """
    An event as a seal knows it: its documents are their SHA-256.

    *occurred_at* counts microseconds, as PostgreSQL does: years beyond those of Python
    and infinity are times too.
    """

    position: int
    stream_id: str
    type: str
    version: int
    data: bytes
    metadata: bytes
    occurred_at: int

    @property
    def content(self) -> bytes:
        """The sealed form without the position, to find moved events."""
        return b"".join(
            (
                with_length(self.stream_id),
                with_length(self.type),
                struct.pack(">i", self.version),
                self.data,
                self.metadata,
                struct.pack(">q", self.occurred_at),
            )
        )

    def changed_columns(self, other: "SealedEvent") -> list[str]:
        """Return what differs, by the names of the columns; short values with both."""
        changes = []
        for column, was, now in zip(COLUMNS, self, other, strict=True):
            if was != now:
                before, after = describe_value(column, was), describe_value(column, now)
                told = f" was {before}, is {after}"
                changes.append(column + ("" if isinstance(was, bytes) else told))
        return changes


COLUMNS = ("id", "stream_id", "type", "version", "data", "metadata", "occurred_at")


def read_imprint(imprint: bytes) -> list[SealedEvent]:
    """Return the events of an imprint. Raises ValueError for one that is none."""
    try:
        return list(_entries(imprint))
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError("not the form of an imprint") from error


def _entries(imprint: bytes) -> Iterator[SealedEvent]:
    at = 0

    def number(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from(form, imprint, at)
        at += struct.calcsize(form)
        return int(value)

    def content(length: int) -> bytes:
        nonlocal at
        if not 0 <= length <= len(imprint) - at:
            raise struct.error
        at += length
        return imprint[at - length : at]

    while at < len(imprint):
        yield SealedEvent(
            position=number(">q"),
            stream_id=content(number(">i")).decode(),
            type=content(number(">i")).decode(),
            version=number(">i"),
            data=content(32),
            metadata=content(32),
            occurred_at=number(">q"),
        )


def with_length(text: str) -> bytes:
    content = text.encode()
    return struct.pack(">i", len(content)) + content


def describe_value(column: str, value: object) -> str:
    """Return a value as people read it."""
    if column != "occurred_at" or not isinstance(value, int):
        return str(value)
    if abs(value) >= INFINITY:
        return "infinity" if value > 0 else "-infinity"
    try:
        return (EPOCH + timedelta(microseconds=value)).isoformat()
    except OverflowError:
        return f"{value} µs after 2000"

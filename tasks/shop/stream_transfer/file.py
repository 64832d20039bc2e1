"""
The file of exported streams: a header, then an event a line, all of it JSON.

The header has the number of events and a hash of itself and them, which detects a file
that was cut off or edited. It is no signature: anyone can compute it.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import BinaryIO

import msgspec

from eventstore.log.events import Metadata, RecordedEvent
from tasks.shop.history_import.errors import UnusableFile
from tasks.shop.printable import printable

FORM = "recount streams 1"


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The header: the number of events by stream, and the hash of the file."""

    form: str
    streams: dict[str, int]
    events: int
    is_masked: bool
    sha256: str = ""


class _Form(msgspec.Struct):
    form: str


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    An exported event; *personal* names the fields of its data that are encrypted.

    *position* is the one in its old log, for information.
    """

    stream_id: str
    version: int
    position: int
    type: str
    occurred_at: datetime
    data: msgspec.Raw
    metadata: Metadata
    personal: list[str] = []


def parse_event(line: Line) -> RecordedEvent:
    """Return a line's event as it was in its old log."""
    return RecordedEvent(
        position=line.position,
        stream_id=line.stream_id,
        type=line.type,
        version=line.version,
        data=bytes(line.data).decode(),
        metadata=msgspec.json.encode(line.metadata).decode(),
        occurred_at=line.occurred_at,
    )


def write_file(lines: Sequence[Line], *, is_masked: bool) -> bytes:
    """Return the bytes of a file with these events, each stream's in order."""
    header = Header(
        form=FORM,
        streams=dict(Counter(line.stream_id for line in lines)),
        events=len(lines),
        is_masked=is_masked,
    )
    body = b"".join(as_json(line) for line in lines)
    header = msgspec.structs.replace(header, sha256=hash_of(header, body))
    return as_json(header) + body


def as_json(value: Header | Line) -> bytes:
    """Return a line of JSON that is safe on a terminal."""
    return printable(msgspec.json.encode(value).decode()).encode() + b"\n"


def hash_of(header: Header, body: bytes) -> str:
    """Return the hash of a file, computed with an empty hash in its *header*."""
    bare = msgspec.structs.replace(header, sha256="")
    return hashlib.sha256(as_json(bare) + body).hexdigest()


def read(file: BinaryIO, name: str) -> tuple[Header, list[Line]]:
    """
    Return the header and the events of a file.

    Raises UnusableFile for a file that has another form, was cut off or edited, or
    whose streams do not begin with their first event.
    """
    first, _, body = file.read().partition(b"\n")
    header = read_header(first, name)
    count = body.count(b"\n") + (not body.endswith(b"\n") and body != b"")
    if count < header.events or (body and not body.endswith(b"\n")):
        raise UnusableFile(
            name, f"is cut off: it has {count:,} of {header.events:,} events"
        )
    if count > header.events:
        raise UnusableFile(
            name,
            f"goes on behind its end: it has {count:,} lines behind its header,"
            f" and {header.events:,} events",
        )
    if hash_of(header, body) != header.sha256:
        raise UnusableFile(name, "was edited: its hash is another one")
    lines = [
        read_line(line, place, name)
        for place, line in enumerate(body.split(b"\n")[:-1], start=2)
    ]
    check_versions(header, lines, name)
    return header, lines


def read_header(first: bytes, name: str) -> Header:
    try:
        form = msgspec.json.decode(first, type=_Form).form
        if form == FORM:
            return msgspec.json.decode(first, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = "has no streams: its first line is no header of recount stream export"
        raise UnusableFile(name, reason) from error
    raise UnusableFile(name, f"has the form {form!r}, and this code reads {FORM!r}")


def read_line(line: bytes, place: int, name: str) -> Line:
    try:
        return msgspec.json.decode(line, type=Line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableFile(name, f"has no event in line {place}: {error}") from error


def check_versions(header: Header, lines: Sequence[Line], name: str) -> None:
    seen: Counter[str] = Counter()
    for place, line in enumerate(lines, start=2):
        seen[line.stream_id] += 1
        if line.version != seen[line.stream_id]:
            raise UnusableFile(
                name,
                f"has version {line.version} of {line.stream_id} in line {place}, and"
                f" {seen[line.stream_id]} is its turn",
            )
    if seen != header.streams:
        raise UnusableFile(name, "has other streams than its header says")

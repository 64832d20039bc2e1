"""
Are the seals right? Written from docs/seals.md alone, and on nothing of the engine.

It takes rows as any client reads them, with documents as JSON in whatever form.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

ESCAPES = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}


@dataclass(frozen=True)
class Event:
    id: int
    stream_id: str
    type: str
    version: int
    data: str
    metadata: str
    microseconds: int


@dataclass(frozen=True)
class Seal:
    number: int
    after: int
    up_to: int
    count: int
    imprint: bytes
    previous: bytes
    microseconds: int
    hash: bytes


def first_wrong(seals: Sequence[Seal], events: Iterable[Event]) -> int | None:
    """Return the number of the first seal that is not right; None if all are."""
    log = sorted(events, key=lambda event: event.id)
    before = None
    for seal in sorted(seals, key=lambda seal: seal.number):
        stretch = [e for e in log if seal.after < e.id <= seal.up_to]
        imprint = b"".join(map(imprint_of, stretch))
        if before is None:
            follows = (seal.number, seal.after, seal.up_to) == (0, 0, 0)
            imprint = seal.imprint
        else:
            follows = (seal.number, seal.after, seal.previous) == (
                before.number + 1,
                before.up_to,
                before.hash,
            )
        if (
            not follows
            or seal.count != len(stretch)
            or seal.imprint != imprint
            or seal.hash != hash_of(seal)
        ):
            return seal.number
        before = seal
    return None


def hash_of(seal: Seal) -> bytes:
    return sha256(
        b"recount seal 1\n"
        + seal.previous
        + integer(seal.number, 8)
        + integer(seal.after, 8)
        + integer(seal.up_to, 8)
        + integer(seal.count, 4)
        + integer(seal.microseconds, 8)
        + seal.imprint
    )


def imprint_of(event: Event) -> bytes:
    return (
        integer(event.id, 8)
        + text(event.stream_id)
        + text(event.type)
        + integer(event.version, 4)
        + document(event.data)
        + document(event.metadata)
        + integer(event.microseconds, 8)
    )


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def integer(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big", signed=True)


def text(value: str) -> bytes:
    content = value.encode()
    return integer(len(content), 4) + content


def document(value: str) -> bytes:
    read = json.loads(value, parse_float=Decimal, parse_int=Decimal)
    return sha256(canonical(read).encode())


def canonical(value: Any) -> str:
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        members = (f"{quoted(key)}: {canonical(value[key])}" for key in keys)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(canonical, value)) + "]"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Decimal):
        return format(value if value else abs(value), "f")
    return {True: "true", False: "false", None: "null"}[value]


def quoted(value: str) -> str:
    return '"' + "".join(map(escaped, value)) + '"'


def escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    return f"\\u{ord(character):04x}" if character < " " else character

"""As much of PostgreSQL's protocol as tells which statement of ours is passing."""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

STEPS = {
    "accept": rb"public\.accept(?:_many)?\(",
    "take": rb"public\.take(?:_many|_ahead)?\(",
    "finish": rb"CALL public\.finish(?:_many)?\(",
    "move_checkpoint": rb"UPDATE public\.subscriptions\s+SET checkpoint",
    "record_progress": rb"public\.record_progress\(",
    "commit": rb"\ACOMMIT",
}
"""By name, the statements at which something can be made to happen."""

STEP = re.compile(b"|".join(b"(?P<%s>%s)" % (n.encode(), s) for n, s in STEPS.items()))
HEADER = struct.Struct("!cI")
LENGTH_AND_CODE = struct.Struct("!II")
VERSION_3 = 3
ENCRYPTION_REQUESTS = (80877103, 80877104)


class Passing(NamedTuple):
    """A message from a client: where it begins and ends, and what it is."""

    begin: int
    end: int
    step: str
    """The step that it has executed, or `""`."""
    is_asked_to_end: bool
    """The server answers it, and all before it, with `ReadyForQuery`."""


class Statements:
    """What one client sends: psycopg prepares what it sends often, and names it."""

    def __init__(self) -> None:
        self.prepared: dict[bytes, str] = {}

    def read(self, sent: bytes | bytearray) -> Iterator[Passing]:
        """Yield the whole messages at the beginning of *sent*."""
        begin = 0
        while len(sent) - begin >= HEADER.size:
            kind, length = HEADER.unpack_from(sent, begin)
            end = begin + 1 + length
            if end > len(sent):
                return
            body = bytes(sent[begin + HEADER.size : min(end, begin + 600)])
            step = self.step_of(kind, body)
            yield Passing(begin, end, step, kind in (b"S", b"Q"))
            begin = end

    def step_of(self, kind: bytes, body: bytes) -> str:
        match kind:
            case b"P":
                name, _, text = body.partition(b"\0")
                self.prepared[name] = step_in(text)
            case b"B":
                _, _, rest = body.partition(b"\0")
                return self.prepared.get(rest.partition(b"\0")[0], "")
            case b"Q":
                return step_in(body)
        return ""


def query(text: str) -> bytes:
    """Return the message that asks a server for *text*, a statement."""
    body = text.encode() + b"\0"
    return HEADER.pack(b"Q", len(body) + 4) + body


def step_in(text: bytes) -> str:
    found = STEP.search(text)
    return (found.lastgroup or "") if found else ""


class Answers:
    """What one server sends: counted is how often it said that it is ready."""

    def __init__(self) -> None:
        self.ready = 0
        self.left = 0
        self.cut_off = b""

    def read(self, sent: bytes) -> None:
        sent = self.cut_off + sent
        self.cut_off = b""
        begin, size = self.left, len(sent)
        while begin < size:
            if size - begin < HEADER.size:
                self.cut_off, begin = sent[begin:], size
                break
            kind, length = HEADER.unpack_from(sent, begin)
            self.ready += kind == b"Z"
            begin += 1 + length
        self.left = begin - size


class Greeting(NamedTuple):
    """The first message of a connection, which alone has no kind."""

    size: int
    wants_encryption: bool
    user: str | None
    """None where it is no session, but asks for another one to be cancelled."""


def greeting(sent: bytes | bytearray) -> Greeting | None:
    """Return the greeting at the beginning of *sent*, or None if it is not whole."""
    if len(sent) < LENGTH_AND_CODE.size:
        return None
    size, code = LENGTH_AND_CODE.unpack_from(sent)
    if len(sent) < size:
        return None
    if code >> 16 != VERSION_3:
        return Greeting(size, code in ENCRYPTION_REQUESTS, None)
    words = bytes(sent[LENGTH_AND_CODE.size : size]).split(b"\0")
    given = dict(zip(words[::2], words[1::2], strict=False))
    return Greeting(size, False, given.get(b"user", b"").decode())

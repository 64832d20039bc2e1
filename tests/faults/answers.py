"""
What a client of the shop writes down: each command that it sent, and the answer.

One JSON object a line, one line for each attempt. It is all that the checker knows of
the load, and it is written by the client alone: nothing in it was read from the tables.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One attempt to have a command accepted.

    Times are seconds of the client's monotonic clock. Attempts with the same key are
    the same command: an answer that never came, or a 503, is asked for once more.
    """

    key: str
    """The idempotency key that the client chose."""
    type: str
    stream: str
    """The stream that the command is for, `""` where the shop chooses it."""
    data: dict[str, Any]
    sent_at: float
    answered_at: float | None = None
    """None if no answer came: then nobody knows whether it was accepted."""
    status: int | None = None
    """The status of HTTP; in a batch that of the line."""
    command_id: str | None = None
    problem: str = ""
    """What a refusal said, its `type`; or the name of the client's own error."""
    batch: bool = False
    not_before: str = ""
    """It was asked for at a later time, so it need not keep to its place."""
    takes_back: bool = False
    """It asks to cancel the command with that key, which was promised before."""


class Answers:
    """The client's own log, for all its threads."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("ab", buffering=0)
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()

    def write(self, *attempts: Attempt) -> None:
        lines = b"".join(self._encoder.encode(a) + b"\n" for a in attempts)
        with self._lock:
            self._file.write(lines)

    def close(self) -> None:
        self._file.close()


def read_answers(path: Path) -> Iterator[Attempt]:
    """Yield what was written, in its order."""
    decoder = msgspec.json.Decoder(Attempt)
    with path.open("rb") as lines:
        for line in lines:
            yield decoder.decode(line)

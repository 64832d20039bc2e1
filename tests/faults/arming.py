"""What a proxy is told to do when a certain statement passes, and telling it."""

import itertools
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from tests.support.waiting import wait_until

When = Literal["before", "sent", "answered"]
"""
Before the server gets it; when it has it, its answer still to come; or when its answer
has come, which the client then does not get.
"""
How = Literal["kill", "drop", "stop", "cut"]
"""
Kill the client's process with -9, or let it lose its connection. Both ends of that may
also stay: the process is stopped, and its connection is well; or the connection carries
nothing more, in neither direction, until it is disarmed. These two are for `before`.
"""


class Arm(msgspec.Struct, kw_only=True):
    """One thing to do, at most *times*."""

    number: int
    step: str
    when: When
    how: How
    user: str = ""
    """The login that it is for, `""` for all."""
    times: int = 1


class Request(msgspec.Struct, kw_only=True):
    """To arm, to ask which pids were struck, or (with *disarm*) to forget it."""

    arm: Arm | None = None
    struck_by: int | None = None
    disarm: int | None = None
    disarm_all: bool = False
    let_read_alone: bool = False
    """Let the sessions that there are do nothing but read; the answer has whose."""
    hold_answers: bool | None = None
    """Hold back what is answered in the sessions that there are, or let it go."""
    lead_to: str | None = None
    """
    Connect new clients to that Unix socket, to the server's own where it is `""`, and
    end the sessions that lead elsewhere; the answer has whose.
    """


class Proxy:
    """The proxy as it is reached from outside of its process."""

    def __init__(self, control: Path) -> None:
        self.control = control
        self.numbers = itertools.count(1)

    def ask(self, request: Request) -> list[int]:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(self.control))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
        return msgspec.json.decode(answer, type=list[int])

    def answers(self) -> bool:
        try:
            self.ask(Request())
        except OSError:
            return False
        return True

    @contextmanager
    def armed(
        self, step: str, when: When, how: How, *, user: str = "", times: int = 1
    ) -> Iterator[int]:
        """Arm it for that long; yield the number by which to ask who was struck."""
        number = next(self.numbers)
        arm = Arm(number=number, step=step, when=when, how=how, user=user, times=times)
        self.ask(Request(arm=arm))
        try:
            yield number
        finally:
            self.ask(Request(disarm=number))

    def wait_for(self, number: int, *, seconds: float) -> list[int]:
        """Return the pids that were struck; none if nobody came by in that time."""
        struck: list[int] = []

        def is_struck() -> bool:
            struck[:] = self.ask(Request(struck_by=number))
            return bool(struck)

        try:
            wait_until(is_struck, "somebody comes by", seconds=seconds)
        except AssertionError:
            return []
        return struck

    def let_read_alone(self) -> list[int]:
        """Let all sessions that there are read alone; return whose they are."""
        return self.ask(Request(let_read_alone=True))

    @contextmanager
    def holding_answers(self) -> Iterator[list[int]]:
        """Hold back the answers in all sessions that there are; yield whose."""
        held = self.ask(Request(hold_answers=True))
        try:
            yield held
        finally:
            self.ask(Request(hold_answers=False))

    @contextmanager
    def leading_to(self, path: Path) -> Iterator[list[int]]:
        """Lead all to another Unix socket, by new sessions; yield whose have ended."""
        ended = self.ask(Request(lead_to=str(path)))
        try:
            yield ended
        finally:
            self.ask(Request(lead_to=""))

    def disarm_all(self) -> None:
        self.ask(Request(disarm_all=True))

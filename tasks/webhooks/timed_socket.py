"""A socket with one limit for all that is done with it, as `http.client` uses it."""

import io
import socket
import time
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Deadline:
    """A time, by the clock that never steps."""

    at: float

    def left(self) -> float:
        """Return the seconds that are left. Raises TimeoutError if none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def shorten(self, seconds: float) -> None:
        self.at = min(self.at, time.monotonic() + seconds)


class TimedSocket:
    """A socket as `http.client` uses it; each step has what is left of the time."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock = sock
        self.deadline = deadline

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self.sock.settimeout(self.deadline.left())
            view = view[self.sock.send(view) :]

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(TimedReader(self.sock, self.deadline))

    def close(self) -> None:
        """Leave it open: `http.client` closes it before it has read the body."""


class TimedReader(io.RawIOBase):
    """What a socket receives, read with what is left of the time."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock = sock
        self.deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.sock.settimeout(self.deadline.left())
        return self.sock.recv_into(buffer)

"""The two ends of a session of PostgreSQL, between which a pooler stands."""

import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import wait
from typing import NamedTuple

HEADER = struct.Struct("!cI")
LENGTH_AND_CODE = struct.Struct("!II")
VERSION_3 = 196608
CANCEL = 80877102


def message(kind: bytes, body: bytes) -> bytes:
    return HEADER.pack(kind, len(body) + 4) + body


class Refusal(Exception):
    """The server has refused a session; *answer* is the message that says why."""

    def __init__(self, answer: bytes) -> None:
        super().__init__(answer)
        self.answer = answer


class Login(NamedTuple):
    """Who asks for a session, and of which database."""

    user: str
    database: str


class Wire:
    """One end of a connection, which is read message by message."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.unread = bytearray()

    def receive(self) -> None:
        """Wait for more. Raises EOFError where nothing will come any more."""
        data = self.end.recv(65536)
        if not data:
            raise EOFError
        self.unread += data

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes, once they are there."""
        while len(self.unread) < size:
            self.receive()
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken

    def messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield what has come whole: the kind of each message, and all of it."""
        while len(self.unread) >= HEADER.size:
            kind, size = HEADER.unpack_from(self.unread)
            if len(self.unread) <= size:
                return
            yield kind, self.take(size + 1)

    def close(self) -> None:
        """Close it, and wake who waits for it."""
        with suppress(OSError):
            self.end.shutdown(socket.SHUT_RDWR)
        self.end.close()


class ServerSession(Wire):
    """A session of the server, and how much of what it was asked is not answered."""

    def __init__(self, end: socket.socket) -> None:
        super().__init__(end)
        self.unanswered = 0
        self.is_complete = True
        self.is_in_transaction = False
        self.settings = b""
        """What the server said of its settings at the beginning."""

    def begin(self, login: Login) -> None:
        """Log in. Raises Refusal."""
        words = f"user\0{login.user}\0database\0{login.database}\0\0".encode()
        head = LENGTH_AND_CODE.pack(len(words) + LENGTH_AND_CODE.size, VERSION_3)
        self.end.sendall(head + words)
        while True:
            self.receive()
            for kind, told in self.messages():
                if kind == b"E":
                    raise Refusal(told)
                if kind == b"S":
                    self.settings += told
                if kind == b"Z":
                    return

    def ask(self, kind: bytes, sent: bytes) -> None:
        """Send a message of a client; a query or a sync is answered with *ready*."""
        self.is_complete = kind in (b"Q", b"S")
        self.unanswered += self.is_complete
        self.end.sendall(sent)

    def answers(self) -> bytes:
        """Wait for what the server says, and return it, in whole messages."""
        self.receive()
        answers = b""
        for kind, told in self.messages():
            answers += told
            if kind == b"Z":
                self.unanswered -= 1
                self.is_in_transaction = not told.endswith(b"I")
        return answers

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is asked of it, and no transaction is open."""
        return self.is_complete and not self.unanswered and not self.is_in_transaction

    def reset(self) -> None:
        self.ask(b"Q", message(b"Q", b"DISCARD ALL\0"))
        while self.unanswered:
            self.answers()

    def has_ended(self) -> bool:
        """Return whether the server has ended it while nobody had it."""
        return bool(wait([self.end], timeout=0))


def login_of(client: Wire) -> Login:
    """Read who a client is. Raises EOFError where it wants no session."""
    while True:
        size, code = LENGTH_AND_CODE.unpack(client.take(LENGTH_AND_CODE.size))
        words = client.take(size - LENGTH_AND_CODE.size).split(b"\0")
        if code == VERSION_3:
            break
        if code == CANCEL:
            raise EOFError
        # It asks for encryption, which there is none of.
        client.end.sendall(b"N")
    told = dict(zip(words[::2], words[1::2], strict=False))
    user = told[b"user"].decode()
    return Login(user, told.get(b"database", b"").decode() or user)

"""
How long a silent server is waited for, where another one can answer instead.

A server that is stopped, or whose machine is gone, does not refuse a connection: it
says nothing. A session with such a limit asks after so long whether its server still
takes connections, by the first message of the protocol. A slow statement of a server
that answers this is waited for as long as everywhere else.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import psycopg

ASK_FOR_TLS = struct.pack("!2I", 8, 80_877_103)
"""SSLRequest: a server answers it by one byte before it knows who asks."""

_limit: ContextVar[float | None] = ContextVar("seconds of silence", default=None)


@contextmanager
def at_most_silent(seconds: float | None) -> Iterator[None]:
    """
    Have sessions of this thread look at their server after *seconds* of silence.

    A session that is lent longer keeps the limit in its `max_silence`.
    """
    token = _limit.set(seconds)
    try:
        yield
    finally:
        _limit.reset(token)


def silence_limit() -> float | None:
    """Return the seconds of silence after which a session looks at its server."""
    return _limit.get()


def is_answering(connection: psycopg.Connection[object], seconds: float) -> bool:
    """
    Return whether the server of *connection* answers another one within *seconds*.

    Nothing is logged there: servers expect those who look and go away.
    """
    info = connection.info
    try:
        with _open(info.hostaddr or info.host, info.port, seconds) as link:
            link.sendall(ASK_FOR_TLS)
            return bool(link.recv(1))
    except OSError:
        return False


def _open(host: str, port: int, seconds: float) -> socket.socket:
    if not host.startswith(("/", "@")):
        return socket.create_connection((host, port), seconds)
    path = f"{host}/.s.PGSQL.{port}"
    link = socket.socket(socket.AF_UNIX)
    try:
        link.settimeout(seconds)
        link.connect(f"\0{path[1:]}" if path.startswith("@") else path)
    except BaseException:
        link.close()
        raise
    return link

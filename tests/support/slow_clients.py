"""Clients of the web that are slow: who say half of what they want, or read nothing."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from tasks.shop.local_access import authorization
from tests.support.settings import SECRET_KEY

HOST = "127.0.0.1"
PATIENCE = 5.0
LARGE = "/static/vendor/pico/pico.min.css"


class Credentials:
    """What lets these clients in: the header that programs of this computer send."""

    authorization = authorization(SECRET_KEY)

    @classmethod
    def use(cls, secret_key: str) -> None:
        """Be let in by a web of this *secret_key* from now on."""
        cls.authorization = authorization(secret_key)


def get(path: str, *more: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}"]
    lines += [f"Authorization: {Credentials.authorization}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


POST = (
    "POST /api/commands HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: application/json\r\nIdempotency-Key: k\r\n"
)
BEGINNINGS: Mapping[str, bytes] = {
    "half a request line": b"GET /ord",
    "half a head": b"GET /orders HTTP/1.1\r\nHost: localhost\r\nX-Wai",
    "half a body": f"{POST}Content-Length: 1000\r\n\r\n{{".encode(),
    "half a chunk": f"{POST}Transfer-Encoding: chunked\r\n\r\n400\r\n{{".encode(),
}
"""What clients send that say nothing more."""
NOTHING, DRIPPING, READING = "nothing at all", "a byte a second", "reading nothing"
IDLE = "idle after a request"
KINDS: Mapping[str, int] = {
    **dict.fromkeys(BEGINNINGS, 100),
    NOTHING: 100,
    DRIPPING: 100,
    READING: 100,
    IDLE: 300,
}
"""The kinds of slow clients, and how many of each come together."""


def open_socket(port: int, receive_buffer: int | None = None) -> socket.socket:
    with ExitStack() as stack:
        client = stack.enter_context(socket.socket())
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.settimeout(PATIENCE)
        client.connect((HOST, port))
        # Whoever is connected closes it; where nobody listens, it is closed here.
        stack.pop_all()
    return client


@contextmanager
def slow_clients(port: int, kind: str, count: int) -> Iterator[list[socket.socket]]:
    """Have *count* clients of a *kind* be connected for that long."""
    is_over = threading.Event()
    with ExitStack() as stack:
        stack.callback(is_over.set)
        clients = [
            stack.enter_context(open_socket(port, 4096 if kind == READING else None))
            for _ in range(count)
        ]
        for client in clients:
            # A server that closes it is none of our business.
            with suppress(OSError):
                begin(client, kind)
        if kind == DRIPPING:
            threading.Thread(target=drip, args=(clients, is_over), daemon=True).start()
        yield clients


def begin(client: socket.socket, kind: str) -> None:
    if kind in BEGINNINGS:
        client.sendall(BEGINNINGS[kind])
    elif kind == READING:
        client.sendall(get(LARGE) * 3)
    elif kind == IDLE:
        client.sendall(get("/healthz"))
        read_answer(client)


def drip(clients: list[socket.socket], is_over: threading.Event) -> None:
    """Send all the same head, a byte a second, and never its end."""
    head = b"GET /orders HTTP/1.1\r\nHost: localhost\r\nX-Drip: "
    place = 0
    while True:
        for client in clients:
            with suppress(OSError):
                client.send(head[place : place + 1] or b"x")
        if is_over.wait(1):
            return
        place += 1


def read_answer(client: socket.socket) -> bytes:
    """Return one answer, whose head tells how long its body is."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += received(client)
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
    while len(body) < length:
        body += received(client)
    return head + b"\r\n\r\n" + body


def received(client: socket.socket) -> bytes:
    some = client.recv(1 << 16)
    if not some:
        raise ConnectionError("it was closed before the answer was whole")
    return some


def read_all(client: socket.socket) -> bytes:
    """Return what comes until the other side closes, or for so long nothing comes."""
    found = b""
    with suppress(OSError):
        while some := client.recv(1 << 16):
            found += some
    return found


def status_of(port: int, path: str, seconds: float = PATIENCE) -> int:
    """Return the status that a page is answered with on a new connection, or 0."""
    try:
        with open_socket(port) as client:
            client.settimeout(seconds)
            client.sendall(get(path, "Connection: close"))
            found = read_all(client)
    except OSError:
        return 0
    return int(found[9:12]) if found.startswith(b"HTTP/1.") else 0

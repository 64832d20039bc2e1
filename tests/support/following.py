"""Who follows the log in tests: by pages, by a stream; and events to be followed."""

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import uuid4

import psycopg
from flask import Flask

from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent
from tests.support.slow_clients import HOST, Credentials, get, open_socket, read_answer
from webapp.serving.server import Server


def new_event(kind: str, data: str) -> NewEvent:
    event_id = uuid4()
    metadata = Metadata(
        event_id=event_id,
        correlation_id=event_id,
        causation_id=event_id,
        schema="1.0",
        actor="staff",
    )
    return NewEvent(type=kind, data=data, metadata=metadata)


def append_events(
    connection: psycopg.Connection[Any],
    count: int,
    *,
    first: int = 1,
    kind: str = "PaymentReceived",
    data: str = '{"amount": 1}',
) -> None:
    """Append one event to each of so many orders, which no command ever placed."""
    for start in range(first, first + count, 1_000):
        numbers = range(start, min(start + 1_000, first + count))
        append(
            connection,
            [(f"order-{number}", new_event(kind, data)) for number in numbers],
            expected={f"order-{number}": 0 for number in numbers},
        )


def append_to(connection: psycopg.Connection[Any], stream: str, *versions: int) -> None:
    """Append payments of a cent as these versions of a stream."""
    events = [(stream, new_event("PaymentReceived", '{"amount": 1}')) for _ in versions]
    append(connection, events, expected={stream: versions[0] - 1})


def ids_in_log(connection: psycopg.Connection[Any]) -> list[str]:
    """Return the ids of all events, in the order of the log."""
    rows = connection.execute(
        "SELECT metadata ->> 'event_id' FROM events ORDER BY id"
    ).fetchall()
    return [row[0] for row in rows]


@dataclass
class StreamClient:
    """A client of `/api/events/stream`, which reads as `EventSource` does."""

    port: int
    path: str = "/api/events/stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    last_id: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    head: bytes = b""
    client: socket.socket | None = None
    chunked: bytes = b""
    rest: bytes = b""
    has_ended: bool = False

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, receive_buffer: int | None = None) -> None:
        """Connect, and read the head of the answer; go on where the last one ended."""
        self.close()
        self.rest, self.has_ended = b"", False
        self.client = open_socket(self.port, receive_buffer)
        headers = {
            "Host": HOST,
            "Authorization": Credentials.authorization,
            **self.headers,
        }
        if self.last_id:
            headers["Last-Event-ID"] = self.last_id
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([f"GET {self.path} HTTP/1.1", *lines, "", ""])
        self.client.sendall(head.encode())
        found = b""
        while b"\r\n\r\n" not in found:
            some = self.client.recv(1 << 16)
            if not some:
                raise ConnectionError("closed before the head was there")
            found += some
        self.head, _, chunked = found.partition(b"\r\n\r\n")
        self.chunked = chunked
        self.read_chunks()

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
            self.client = None

    @property
    def status(self) -> int:
        return int(self.head[9:12])

    def receive(self, seconds: float = 5) -> bool:
        """Read what comes next; False where nothing came, or the other side closed."""
        assert self.client is not None
        self.client.settimeout(seconds)
        try:
            some = self.client.recv(1 << 18)
        except (TimeoutError, ConnectionError):
            return False
        if not some:
            self.close()
            return False
        self.chunked += some
        self.read_chunks()
        return True

    def read_chunks(self) -> None:
        """Take the chunks that are whole, and the blocks that are whole in them."""
        while b"\r\n" in self.chunked:
            size, _, rest = self.chunked.partition(b"\r\n")
            length = int(size, 16)
            if len(rest) < length + 2:
                break
            self.has_ended = self.has_ended or not length
            self.rest += rest[:length]
            self.chunked = rest[length + 2 :]
        *blocks, self.rest = self.rest.split(b"\n\n")
        for block in blocks:
            self.take(block.decode())

    def take(self, block: str) -> None:
        data = []
        for line in block.split("\n"):
            name, _, value = line.partition(": ")
            match name:
                case "id":
                    self.last_id = value
                case "data":
                    data.append(value)
                case "":
                    self.comments.append(value)
        if data:
            self.events.append(json.loads("\n".join(data)))

    @property
    def ids(self) -> list[str]:
        return [event["event_id"] for event in self.events]

    def receive_until(self, count: int) -> Sequence[str]:
        """Read until there are so many events; fail where they do not come."""
        while len(self.events) < count:
            assert self.receive(20), f"{len(self.events)} of {count} events"
        return self.ids


@contextmanager
def serving(app: Flask, threads: int = 2) -> Iterator[int]:
    """Serve *app* by the server of ours, in a thread, and lend its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    server = Server(app, listener, threads)
    is_over = threading.Event()

    def run() -> None:
        while not is_over.is_set():
            server.turn()
        server.end(5, lambda: None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield port
    is_over.set()
    server.call_in_loop(lambda: None)
    thread.join(20)
    assert not thread.is_alive()


def json_of(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def follow_by_pages(
    port: int, goes_on: Callable[[], bool], limit: int = 5
) -> list[str]:
    """Follow `next` until nothing goes on any more and the last page is empty."""
    found: list[str] = []
    address = f"/api/events?limit={limit}"
    with open_socket(port) as client:
        while True:
            is_over = not goes_on()
            client.sendall(get(address, "Prefer: wait=1"))
            page = json_of(read_answer(client))
            found += [event["event_id"] for event in page["events"]]
            address = page["next"]
            if is_over and page["is_last"] and not page["events"]:
                return found

"""Commands by HTTP: as fast as they are answered, or at a steady rate."""

import json
import selectors
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from benchmarks.commanding.filling import CUSTOMER
from benchmarks.loading.connection import Connection

ORDER = {
    "customer_id": CUSTOMER,
    "items": [{"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 4_950}],
    "address": {"street": "1 Retro Road", "city": "Bergen", "country": "Norway"},
}


def place_order() -> dict[str, Any]:
    return {"type": "PlaceOrder", "data": ORDER}


def open_account() -> dict[str, Any]:
    return {"type": "OpenAccount", "data": {"account_id": uuid.uuid4().hex}}


KINDS: dict[str, Callable[[], dict[str, Any]]] = {
    "OpenAccount": open_account,
    "PlaceOrder": place_order,
}


def request(
    host: str,
    path: str,
    body: bytes,
    authorization: str,
    kind: str = "application/json",
) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\n"
        f"Authorization: {authorization}\r\n"
        f"Idempotency-Key: {uuid.uuid4().hex}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send_all(address: str, requests: Sequence[bytes], connections: int) -> None:
    """
    Send all, each connection its next one when it was answered.

    One thread and no parsing: it shares the processors with what is measured.
    """
    host, port = urlsplit(address).netloc.split(":")
    left = iter(requests)
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        if (first := next(left, None)) is None:
            break
        client = socket.create_connection((host, int(port)), 60)
        client.sendall(first)
        selector.register(client, selectors.EVENT_READ)
    while selector.get_map():
        for key, _ in selector.select():
            client = key.fileobj  # type: ignore[assignment]
            read_answer(client)
            if (following := next(left, None)) is None:
                selector.unregister(client)
                client.close()
            else:
                client.sendall(following)


def read_answer(client: socket.socket) -> bytes:
    """Return the body of an answer that accepts what was sent."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += received(client)
    head, _, body = found.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
    while len(body) < length:
        body += received(client)
    if not head.startswith(b"HTTP/1.1 202"):
        raise RuntimeError(f"not accepted: {head[:60]!r} {body[:300]!r}")
    return body


def received(client: socket.socket) -> bytes:
    some = client.recv(1 << 20)
    if not some:
        raise RuntimeError("the web server closed the connection")
    return some


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command that was sent at its time was answered, and after how long."""

    status: int
    command_id: str
    due: float
    seconds: float

    @property
    def at(self) -> float:
        """When it was answered."""
        return self.due + self.seconds


@dataclass
class Steady:
    """Commands at a steady rate, whether or not the ones before are answered."""

    address: str
    authorization: str
    rate: float
    seconds: float
    connections: int = 16
    what: Callable[[], dict[str, Any]] = place_order

    def __post_init__(self) -> None:
        self.answers: list[Answer] = []
        self.numbers = iter(range(round(self.rate * self.seconds)))
        self.lock = threading.Lock()
        self.threads: list[threading.Thread] = []

    def start(self) -> "Steady":
        self.began = time.monotonic() + 0.1
        for _ in range(self.connections):
            self.threads.append(threading.Thread(target=self.send_on_time))
            self.threads[-1].start()
        return self

    def join(self) -> list[Answer]:
        for thread in self.threads:
            thread.join()
        return sorted(self.answers, key=lambda answer: answer.due)

    def send_on_time(self) -> None:
        connection = Connection(self.address, self.authorization)
        while True:
            with self.lock:
                number = next(self.numbers, None)
            if number is None:
                connection.close()
                return
            due = self.began + number / self.rate
            time.sleep(max(due - time.monotonic(), 0))
            self.answers.append(self.sent(connection, due))

    def sent(self, connection: Connection, due: float) -> Answer:
        body = json.dumps(self.what()).encode()
        try:
            status, told = connection.call(
                "POST", "/api/commands", body, uuid.uuid4().hex
            )
        except (OSError, HTTPException, ValueError):
            connection.close()
            status, told = 0, {}
        return Answer(status, str(told.get("id", "")), due, time.monotonic() - due)

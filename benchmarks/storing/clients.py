"""Clients that ask again as soon as they are answered, in a process of their own."""

import json
import multiprocessing
import random
import selectors
import socket
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from benchmarks.commanding.requests import request
from benchmarks.searched_rows import a_customer

RENAMED = 40
"""So many customers are registered by commands, and get other names."""
_spawn = multiprocessing.get_context("spawn")


@dataclass
class Asking:
    """
    What clients do for *seconds*: they read orders, and write once in *reads_a_write*.

    *orders* are the numbers that they ask for, by chance. Without *reads_a_write* they
    write nothing.
    """

    address: str
    authorization: str
    seconds: float
    orders: list[int]
    reads_a_write: int = 0
    clients: int = 8
    nice: int = 0


@dataclass
class Asked:
    """The seconds of reads and of writes, and who answered how often."""

    seconds: float = 0.0
    reads: list[float] = field(default_factory=list)
    writes: list[float] = field(default_factory=list)
    stores: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        return len(self.reads) / self.seconds


def start(asking: Asking) -> Callable[[], Asked]:
    """Start a process that asks; return what waits for its results."""
    results = _spawn.Queue()
    process = _spawn.Process(target=work, args=(asking, results))
    process.start()

    def end() -> Asked:
        found: Asked = results.get(timeout=asking.seconds + 120)
        process.join()
        return found

    return end


def work(asking: Asking, results: Any) -> None:
    import os

    os.nice(asking.nice)
    results.put(ask(asking))


class Client:
    """A connection with a request under way."""

    def __init__(self, host: str, port: int) -> None:
        self.place = (host, port)
        self.is_write = False
        self.began = 0.0
        self.got = b""
        self.open()

    def open(self) -> None:
        self.socket = socket.create_connection(self.place, 60)

    def send(self, written: bytes, *, is_write: bool) -> None:
        self.is_write, self.got, self.began = is_write, b"", time.perf_counter()
        self.socket.sendall(written)

    def receive(self) -> tuple[bytes, bytes] | None:
        """Return head and body once they are there. Raises OSError."""
        some = self.socket.recv(1 << 18)
        if not some:
            raise ConnectionError("closed")
        self.got += some
        head, found, body = self.got.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(None, 1)[0])
        return (head, body) if len(body) >= length else None


def ask(asking: Asking) -> Asked:
    """Ask until the time is up; each client has one request under way."""
    host, port = urlsplit(asking.address).netloc.split(":")
    chance, done = random.Random(11), Asked()
    numbers = 0

    def following(client: Client) -> None:
        nonlocal numbers
        numbers += 1
        each = asking.reads_a_write + 1
        is_write = asking.reads_a_write > 0 and numbers % each == 0
        if is_write:
            body = json.dumps(renaming(chance)).encode()
            written = request(host, "/api/commands", body, asking.authorization)
        else:
            path = f"/api/orders/{chance.choice(asking.orders)}"
            written = (
                f"GET {path} HTTP/1.1\r\nHost: {host}\r\n"
                f"Authorization: {asking.authorization}\r\n\r\n"
            ).encode()
        client.send(written, is_write=is_write)

    selector = selectors.DefaultSelector()
    for _ in range(asking.clients):
        client = Client(host, int(port))
        selector.register(client.socket, selectors.EVENT_READ, client)
        following(client)
    began = time.monotonic()
    until = began + asking.seconds
    while (now := time.monotonic()) < until:
        for key, _ in selector.select(until - now):
            client = key.data
            try:
                answer = client.receive()
            except OSError as error:
                done.errors[repr(error)] += 1
                selector.unregister(client.socket)
                client.socket.close()
                client.open()
                selector.register(client.socket, selectors.EVENT_READ, client)
                following(client)
                continue
            if answer is not None:
                note(done, client, *answer)
                following(client)
    done.seconds = time.monotonic() - began
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    return done


def note(done: Asked, client: Client, head: bytes, body: bytes) -> None:
    status = head.split(None, 2)[1].decode()
    if status not in ("200", "202"):
        done.errors[f"{status} {body[:200]!r}"] += 1
        return
    taken = time.perf_counter() - client.began
    if client.is_write:
        done.writes.append(taken)
        return
    done.reads.append(taken)
    store = head.partition(b"Recount-Store: ")[2].partition(b"\r")[0]
    done.stores[store.decode() or "primary"] += 1


def renaming(chance: random.Random) -> dict[str, Any]:
    """Return a command by which a customer has another name, with thirteen orders."""
    row = a_customer(chance.randint(1, RENAMED))
    data = {
        "customer_id": row.customer_id,
        "name": f"{row.name} {uuid.uuid4().hex[:6]}",
        "email": row.email,
    }
    return {"type": "ChangeCustomerDetails", "data": data}

"""Clients of a web server that are fast, and counted."""

import selectors
import socket
import threading
import time
from dataclasses import dataclass, field

from tests.support.slow_clients import get, open_socket, status_of


@dataclass
class Pages:
    """A page that is asked for at a steady rate, on connections that are new."""

    port: int
    path: str
    rate: float = 10.0
    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    def ask_for(self, duration: float) -> "Pages":
        """Ask for so many seconds, whether or not those before are answered."""
        began = time.monotonic()
        threads = []
        for number in range(round(self.rate * duration)):
            due = began + number / self.rate
            time.sleep(max(due - time.monotonic(), 0))
            threads.append(threading.Thread(target=self.ask))
            threads[-1].start()
        for thread in threads:
            thread.join()
        return self

    def ask(self) -> None:
        began = time.monotonic()
        status = status_of(self.port, self.path)
        if status == 200:
            self.seconds.append(time.monotonic() - began)
        else:
            self.failed += 1

    def at(self, share: float) -> float:
        """Return after how many milliseconds so many of them had come."""
        ordered = sorted(self.seconds)
        if not ordered:
            return float("inf")
        return 1000 * ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    def __str__(self) -> str:
        if not self.seconds:
            return f"none of {self.failed}"
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.at(0.5):.0f}, {self.at(0.99):.0f} ms{failed}"


def count_reads(port: int, path: str, connections: int, seconds: float) -> float:
    """Return how many answers a second came, over connections that stay open."""
    request = get(path)
    selector = selectors.DefaultSelector()
    missing: dict[socket.socket, int] = {}
    for _ in range(connections):
        client = open_socket(port)
        client.sendall(request)
        selector.register(client, selectors.EVENT_READ)
    count, until = 0, time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for key, _ in selector.select(until - now):
            client = key.fileobj  # type: ignore[assignment]
            some = client.recv(1 << 18)
            if not some:
                # A server that ends connections it has answered on: once more.
                selector.unregister(client)
                client.close()
                missing.pop(client, None)
                client = open_socket(port)
                selector.register(client, selectors.EVENT_READ)
                client.sendall(request)
                continue
            if client not in missing:
                head, _, body = some.partition(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"not an answer: {some[:100]!r}")
                length = head.lower().partition(b"content-length:")[2].split(None, 1)
                missing[client] = int(length[0]) - len(body)
            else:
                missing[client] -= len(some)
            if missing[client] <= 0:
                del missing[client]
                count += 1
                client.sendall(request)
    for key in list(selector.get_map().values()):
        key.fileobj.close()  # type: ignore[union-attr]
    return count / seconds

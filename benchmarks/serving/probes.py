"""What a server makes of requests that are odd, and of those that never end."""

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from tests.support.slow_clients import BEGINNINGS, POST, get, open_socket, read_answer

ODD: Mapping[str, bytes] = {
    "chunk of a bad size": f"{POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n".encode(),
    "length and chunks": (
        f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ).encode(),
    "two lengths": (
        f"{POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}x"
    ).encode(),
    "a length of +2": f"{POST}Content-Length: +2\r\n\r\n{{}}".encode(),
    "space before colon": b"GET /healthz HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "bare line feeds": b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
    "HTTP/1.0": b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n",
    "100-continue": f"{POST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode(),
    "head of 300 KB": get("/healthz", *[f"X-{n}: {'x' * 3000}" for n in range(100)]),
    "line of 20 KB": get(f"/healthz?{'x' * 20_000}"),
}


def statuses_of(port: int) -> dict[str, str]:
    """Return the statuses that each of the odd requests gets."""
    return {name: statuses(port, request) for name, request in ODD.items()}


def statuses(port: int, request: bytes) -> str:
    found = b""
    with open_socket(port) as client:
        client.settimeout(1.0)
        with suppress(OSError):
            client.sendall(request)
            while some := client.recv(1 << 16):
                found += some
    parts = found.split(b"HTTP/1.")[1:]
    return " ".join(part[2:5].decode() for part in parts) or "closed"


@dataclass
class WaitingClients:
    """Clients that wait, from the start of a server, for what becomes of them."""

    port: int
    longest: float
    told: dict[str, str] = field(default_factory=dict)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> "WaitingClients":
        for name, beginning in {**BEGINNINGS, "idle": b""}.items():
            thread = threading.Thread(target=self.wait, args=(name, beginning))
            self.threads.append(thread)
            thread.start()
        return self

    def join(self) -> dict[str, str]:
        for thread in self.threads:
            thread.join()
        return self.told

    def wait(self, name: str, beginning: bytes) -> None:
        began = time.monotonic()
        with open_socket(self.port) as client:
            client.sendall(beginning or get("/healthz"))
            if not beginning:
                read_answer(client)
            client.settimeout(self.longest)
            try:
                answer = client.recv(1000)
            except TimeoutError:
                self.told[name] = self.after_the_wait(client, beginning)
                return
            except OSError:
                answer = b""
        status = answer[9:12].decode() if answer.startswith(b"HTTP/") else "closed"
        self.told[name] = f"{status} after {time.monotonic() - began:.0f} s"

    def after_the_wait(self, client: socket.socket, beginning: bytes) -> str:
        if beginning:
            return f"open after {self.longest:.0f} s"
        client.sendall(get("/healthz"))
        is_served = read_answer(client).startswith(b"HTTP/1.1 200")
        return f"served after {self.longest:.0f} s" if is_served else "closed"

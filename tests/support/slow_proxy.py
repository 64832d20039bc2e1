"""A proxy before a server that delays its answers, or says in its place: I am busy."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa

from tests.support.lossy import connect_to

AT_ONCE = 65_536
BUSY = b'{"error":{"type":"rejected_execution_exception","reason":"busy"},"status":429}'
BUSY_ANSWER = (
    b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(BUSY), BUSY)
)


class SlowProxy:
    """
    Passes what is sent on to the server at a URL; *url* leads through it.

    Each piece of an answer comes *delay* seconds late. While *is_busy*, a bulk by HTTP
    is answered 429, and does not get to the server; *refused* counts those.
    """

    def __init__(self, url: str) -> None:
        self.server = sa.make_url(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.delay = 0.0
        self.is_busy = False
        self.refused = 0
        self.ends: list[socket.socket] = []
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        port = self.listener.getsockname()[1]
        through = self.server.set(host="127.0.0.1", port=port, query={})
        return through.render_as_string(hide_password=False)

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = connect_to(self.server)
                self.ends += [client, server]
                for carry in (self.carry_questions, self.carry_answers):
                    thread = threading.Thread(
                        target=carry, args=(client, server), daemon=True
                    )
                    self.threads.append(thread)
                    thread.start()

    def carry_questions(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(AT_ONCE):
                if self.is_busy and b"/_bulk" in data.partition(b"\r\n")[0]:
                    self.refuse(client, data)
                else:
                    server.sendall(data)
        self.end(server)

    def refuse(self, client: socket.socket, data: bytes) -> None:
        """Read a request to its end and answer it."""
        while b"\r\n\r\n" not in data:
            data += client.recv(AT_ONCE)
        head, _, body = data.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        assert found is not None
        left = int(found[1]) - len(body)
        while left > 0:
            left -= len(client.recv(AT_ONCE))
        self.refused += 1
        client.sendall(BUSY_ANSWER)

    def carry_answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(AT_ONCE):
                time.sleep(self.delay)
                client.sendall(data)
        self.end(client)

    def end(self, target: socket.socket) -> None:
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End all sessions."""
        # Shutting it down wakes the thread that accepts; closing alone does not.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.ends:
            self.end(end)
        for thread in self.threads:
            thread.join()
        for end in self.ends:
            end.close()


@contextmanager
def slow_proxy(url: str) -> Iterator[SlowProxy]:
    """Yield a proxy before the server at *url*, closed afterwards."""
    proxy = SlowProxy(url)
    try:
        yield proxy
    finally:
        proxy.close()

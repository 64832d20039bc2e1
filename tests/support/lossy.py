"""A proxy before PostgreSQL that can lose answers, and acknowledges all it is sent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import sqlalchemy as sa


def connect_to(server: sa.URL) -> socket.socket:
    """Return a connection to the server at a URL, of TCP or of a Unix socket."""
    host, port = server.host, server.port or 5432
    folder = server.query.get("host")
    if folder or (host and host.startswith("/")):
        end = socket.socket(socket.AF_UNIX)
        end.connect(f"{folder or host}/.s.PGSQL.{port}")
        return end
    return socket.create_connection((host or "127.0.0.1", port))


class LossyProxy:
    """
    Passes sessions on to the server at a URL; *url* leads through it.

    While it loses answers, what the server says in the sessions that were there when
    that began is read and thrown away. New sessions are served, as when a firewall has
    forgotten the old ones.
    """

    def __init__(self, url: str) -> None:
        self.server = sa.make_url(url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.lost: set[socket.socket] = set()
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
                for source, target in ((client, server), (server, client)):
                    thread = threading.Thread(
                        target=self.carry, args=(source, target), daemon=True
                    )
                    self.threads.append(thread)
                    thread.start()

    def carry(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if source not in self.lost:
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def losing_answers(self) -> Iterator[None]:
        """Lose what is answered in all sessions that there are, as long as it lasts."""
        self.lost = set(self.ends)
        # What clients say is heard.
        self.lost -= set(self.ends[::2])
        yield
        self.lost = set()

    def close(self) -> None:
        # A thread that waits in accept is woken by this, and not by a close.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        for end in self.ends:
            end.close()

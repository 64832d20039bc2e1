"""Poolers before PostgreSQL: PgBouncer, where it is installed, and one of our own."""

import os
import queue
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from pwd import getpwnam
from tempfile import TemporaryDirectory

import sqlalchemy as sa

from tests.support.lossy import LossyProxy
from tests.support.processes import accepts, free_port
from tests.support.waiting import wait_until

HEADER = struct.Struct("!cI")
VERSION_3 = 196608
PID = 4_000_000
"""No process has such a number."""
SAID = {
    "server_version": "18.0",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "standard_conforming_strings": "on",
    "integer_datetimes": "on",
}
INI = """
[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pidfile = {folder}/pid
logfile = {folder}/log
{settings}
"""


def message(kind: bytes, body: bytes) -> bytes:
    return HEADER.pack(kind, len(body) + 4) + body


class Wire:
    """One end of a session, which is read message by message."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        self.file = end.makefile("rb")

    def read(self) -> tuple[bytes, bytes]:
        """Return the next message, its kind and all of it. Raises EOFError."""
        header = self.file.read(HEADER.size)
        if len(header) < HEADER.size:
            raise EOFError
        kind, size = HEADER.unpack(header)
        return kind, header + self.file.read(size - 4)

    def close(self) -> None:
        self.file.close()
        self.end.close()


class SharingPooler:
    """
    Lends a session of the server to whoever sends a statement, until its transaction
    ends; then it is the turn of the next session, of *servers* that there are.
    """

    def __init__(self, url: str, servers: int = 2) -> None:
        self.target = LossyProxy(url)
        self.server = sa.make_url(self.target.url)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.free: queue.Queue[Wire] = queue.Queue()
        self.opened: list[Wire] = []
        for _ in range(servers):
            self.free.put(self.open())
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        port = self.listener.getsockname()[1]
        return self.server.set(port=port).render_as_string(hide_password=False)

    def open(self) -> Wire:
        wire = Wire(socket.create_connection(("127.0.0.1", self.server.port or 0)))
        self.opened.append(wire)
        user, database = self.server.username or "", self.server.database or ""
        words = f"user\0{user}\0database\0{database}\0\0".encode()
        begin = struct.pack("!II", len(words) + 8, VERSION_3) + words
        wire.end.sendall(begin)
        while wire.read()[0] != b"Z":
            pass
        return wire

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                wire = Wire(client)
                self.opened.append(wire)
                thread = threading.Thread(target=self.serve, args=(wire,), daemon=True)
                self.threads.append(thread)
                thread.start()

    def serve(self, client: Wire) -> None:
        with suppress(OSError, EOFError, ValueError):
            self.greet(client)
            server: Wire | None = None
            while True:
                asked = self.ask(client)
                server = server or self.lend()
                server.end.sendall(asked)
                kind, answer = b"", b""
                while kind != b"Z":
                    kind, answer = server.read()
                    client.end.sendall(answer)
                if answer.endswith(b"I"):
                    self.free.put(server)
                    server = None
        with suppress(OSError):
            client.end.shutdown(socket.SHUT_RDWR)

    def greet(self, client: Wire) -> None:
        while True:
            size, code = struct.unpack("!II", client.file.read(8))
            client.file.read(size - 8)
            if code == VERSION_3:
                break
            client.end.sendall(b"N")
        told = [f"{name}\0{value}\0".encode() for name, value in SAID.items()]
        client.end.sendall(
            message(b"R", struct.pack("!I", 0))
            + b"".join(message(b"S", one) for one in told)
            + message(b"K", struct.pack("!II", PID, 7))
            + message(b"Z", b"I")
        )

    def ask(self, client: Wire) -> bytes:
        """Return what the client sends up to where it waits for an answer."""
        asked = b""
        while True:
            kind, sent = client.read()
            if kind == b"X":
                raise EOFError
            asked += sent
            if kind in (b"Q", b"S"):
                return asked

    def lend(self) -> Wire:
        """Return the session whose turn it is; one that the server has ended, again."""
        wire = self.free.get(timeout=5)
        wire.end.setblocking(False)
        try:
            wire.end.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            wire.end.setblocking(True)
            return wire
        wire.close()
        return self.open()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for wire in self.opened:
            with suppress(OSError):
                wire.end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        for wire in self.opened:
            wire.close()
        self.target.close()


def pgbouncer_program() -> str | None:
    """Return the program of Debian's package, where that is installed."""
    return shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer")


@contextmanager
def pgbouncer(url: str, *settings: str) -> Iterator[str]:
    """Run PgBouncer before the server at *url*; yield the URL that leads through it."""
    program = pgbouncer_program()
    assert program is not None
    through = LossyProxy(url)
    target, port = sa.make_url(through.url), free_port()
    with TemporaryDirectory(prefix="recount-") as folder:
        ini = Path(folder) / "pgbouncer.ini"
        ini.write_text(
            INI.format(
                server=f"host=127.0.0.1 port={target.port} user={target.username}",
                port=port,
                folder=folder,
                settings="\n".join(settings),
            )
        )
        command = [program, "-q", str(ini)]
        if os.geteuid() == 0:
            # It refuses to run as root.
            nobody = getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            os.chown(ini, nobody.pw_uid, nobody.pw_gid)
            command[1:1] = ["-u", "nobody"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: accepts(port), "PgBouncer listens")
            yield target.set(port=port).render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait()
            through.close()

"""
A pooler of our own before PostgreSQL: it lends its sessions, as PgBouncer does.

It is there for tests where PgBouncer is not installed, and for faults that come and go
within seconds. It knows no passwords and passes no requests to cancel on.
"""

import queue
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Literal

import sqlalchemy as sa

from tests.support.lossy import connect_to
from tests.support.session_wire import (
    Login,
    Refusal,
    ServerSession,
    Wire,
    login_of,
    message,
)

Mode = Literal["transaction", "session"]
"""
How long a client has a session of the server: for a transaction, and the next one gets
the session whose turn it is; or for its own life, after which the session is reset.
"""
SOCKET = ".s.PGSQL.5432"
PID = 4_000_000
"""What each client is told as the process that serves it; no process has it."""
SECONDS_FOR_A_TURN = 5.0
"""So long a client waits for a session that is free."""


class Pool:
    """The sessions of one login, at most *size* of them, which *open_one* opens."""

    def __init__(
        self, open_one: Callable[[], ServerSession], mode: Mode, size: int
    ) -> None:
        self.open_one = open_one
        self.is_shared = mode == "transaction"
        # By turns, so that even a client that is alone does not keep its session; or
        # the last one first, so that no more are opened than are needed.
        self.free: queue.Queue[ServerSession | None] = (
            queue.Queue() if self.is_shared else queue.LifoQueue()
        )
        for _ in range(size):
            self.free.put(None)

    def lend(self) -> ServerSession:
        """
        Return a session that is free; one that the server has ended is replaced.

        Raises queue.Empty, Refusal, OSError or EOFError where there is none.
        """
        session = self.free.get(timeout=SECONDS_FOR_A_TURN)
        try:
            if session and not session.has_ended():
                return session
            if session:
                session.close()
            return self.open_one()
        except BaseException:
            self.free.put(None)
            raise

    def take_back(self, session: ServerSession) -> None:
        """Have it lent again; one that somebody left at work is ended."""
        kept = None
        with suppress(OSError, EOFError, ValueError):
            if session.is_at_rest:
                if not self.is_shared:
                    session.reset()
                kept = session
        if kept is None:
            session.close()
        self.free.put(kept)


class Pooler:
    """
    Serves clients of all logins by sessions of the server at *url*, in one mode.

    It listens in *folder*, at a Unix socket named as libpq wants it, or else at a port.
    Of each login and database there are at most *servers* sessions.
    """

    def __init__(
        self, url: str, mode: Mode, *, servers: int, folder: Path | None = None
    ) -> None:
        self.server = sa.make_url(url)
        self.mode = mode
        self.servers = servers
        self.folder = folder
        self.pools: dict[Login, Pool] = {}
        self.settings: dict[Login, bytes] = {}
        self.wires: list[Wire] = []
        self.lock = threading.Lock()
        self.is_closed = False
        if folder is None:
            self.listener = socket.create_server(("127.0.0.1", 0))
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(folder / SOCKET))
            self.listener.listen(200)
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    @property
    def url(self) -> str:
        if self.folder is None:
            port = self.listener.getsockname()[1]
            through = self.server.set(host="127.0.0.1", port=port, query={})
        else:
            query = {"host": str(self.folder)}
            through = self.server.set(host=None, port=None, query=query)
        return through.render_as_string(hide_password=False)

    def note(self, wire: Wire) -> None:
        """Have *wire* closed with all others. Raises EOFError after that."""
        with self.lock:
            if not self.is_closed:
                self.wires.append(wire)
                return
        wire.close()
        raise EOFError

    def pool_of(self, login: Login) -> Pool:
        with self.lock:
            if login not in self.pools:
                self.pools[login] = Pool(
                    lambda: self.open(login), self.mode, self.servers
                )
            return self.pools[login]

    def open(self, login: Login) -> ServerSession:
        session = ServerSession(connect_to(self.server))
        self.note(session)
        try:
            session.begin(login)
        except BaseException:
            session.close()
            raise
        self.settings.setdefault(login, session.settings)
        return session

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                end, _ = self.listener.accept()
                thread = threading.Thread(
                    target=self.serve, args=(Wire(end),), daemon=True
                )
                self.threads.append(thread)
                thread.start()

    def serve(self, client: Wire) -> None:
        with suppress(OSError, EOFError, ValueError, queue.Empty):
            self.note(client)
            try:
                pool = self.greet(client)
                self.pass_on(client, pool)
            except Refusal as refusal:
                client.end.sendall(refusal.answer)
        client.close()

    def greet(self, client: Wire) -> Pool:
        """Let a client in, and tell it the settings of the server's own sessions."""
        login = login_of(client)
        pool = self.pool_of(login)
        if login not in self.settings:
            pool.take_back(pool.lend())
        client.end.sendall(
            message(b"R", struct.pack("!I", 0))
            + self.settings[login]
            + message(b"K", struct.pack("!II", PID, 7))
            + message(b"Z", b"I")
        )
        return pool

    def pass_on(self, client: Wire, pool: Pool) -> None:
        """Carry messages between a client and the session that it has, if any."""
        lent: ServerSession | None = None
        try:
            while True:
                ready = wait([one.end for one in (client, lent) if one])
                if lent and lent.end in ready:
                    client.end.sendall(lent.answers())
                    if pool.is_shared and lent.is_at_rest:
                        pool.take_back(lent)
                        lent = None
                if client.end in ready:
                    client.receive()
                    for kind, sent in client.messages():
                        if kind == b"X":
                            return
                        lent = lent or pool.lend()
                        lent.ask(kind, sent)
        finally:
            if lent:
                pool.take_back(lent)

    def close(self) -> None:
        """End it, with all of its sessions."""
        with self.lock:
            self.is_closed = True
        # A thread that waits is woken by this, and not by a close.
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        for wire in self.wires:
            with suppress(OSError):
                wire.end.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)
        for wire in self.wires:
            wire.close()
        self.listener.close()
        if self.folder is not None:
            (self.folder / SOCKET).unlink(missing_ok=True)

"""The server of one process: accepts connections and ends them."""

import logging
import resource
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from webapp.body_limits import MAX_BATCH_BYTES
from webapp.serving.connection import Connection
from webapp.serving.loop import Loop

MAX_HEAD_BYTES = 64 * 1024
MAX_CONNECTIONS = 2_000
FILES_BESIDE = 200
"""Other open files of a process: its pool, logs, files that it reads."""
SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_TO_SAY_GOODBYE = 1.0
"""How long an ending server still serves idle connections: a request may be on its way.
It is answered with `Connection: close`."""


class Server(TcpWSGIServer):
    """The listener, its connections, and the threads that answer."""

    channel_class = Connection
    is_ending = False
    has_ended = False

    def __init__(self, application: Any, listener: socket.socket, threads: int) -> None:
        # Early disconnects, and requests that wait for a thread, are not logged.
        logging.getLogger("waitress").setLevel(logging.WARNING)
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self.loop = Loop()
        self.calls: deque[Callable[[], None]] = deque()
        self.calls_lock = threading.Lock()
        self.looked_at = 0.0
        dispatcher = ThreadedTaskDispatcher()
        dispatcher.set_thread_count(threads)
        super().__init__(
            application,
            map=self.loop.watched,
            _sock=listener,
            dispatcher=dispatcher,
            adj=Adjustments(
                sockets=[listener],
                threads=threads,
                connection_limit=most_connections(),
                max_request_header_size=MAX_HEAD_BYTES,
                # Larger than the limit of any view; views have their own limits.
                max_request_body_size=MAX_BATCH_BYTES + 1024 * 1024,
                # Pages use them to detect requests from other computers.
                clear_untrusted_proxy_headers=False,
                server_name="localhost",
                ident="recount",
            ),
            sockinfo=(listener.family, listener.type, listener.proto, None),
            bind_socket=False,
        )
        self.loop.look_at_all()

    def readable(self) -> bool:
        return bool(self.accepting)

    def handle_accept(self) -> None:
        """Accept a connection; if there are too many, close an idle one."""
        if len(self.active_channels) >= self.adj.connection_limit:
            self.close_longest_idle()
        super().handle_accept()

    def close_longest_idle(self) -> None:
        waiting = [one for one in self.active_channels.values() if not one.requests]
        if waiting:
            min(waiting, key=lambda one: one.active_at).handle_close()

    def turn(self) -> None:
        """Handle events, waiting a moment for them."""
        self.loop.turn(SECONDS_BETWEEN_LOOKS)
        self.run_calls()
        if time.monotonic() > self.looked_at + SECONDS_BETWEEN_LOOKS:
            self.tend()

    def call_in_loop(self, call: Callable[[], None]) -> None:
        """Have the loop's thread make a *call* soon. From any thread."""
        with self.calls_lock:
            is_first = not self.calls
            self.calls.append(call)
        # If calls are queued already, the first of them has woken the loop.
        if is_first and not self.has_ended:
            self.pull_trigger()

    def run_calls(self) -> None:
        while True:
            with self.calls_lock:
                if not self.calls:
                    return
                call = self.calls.popleft()
            call()

    def tend(self) -> None:
        """End requests, answers and idle connections that last too long."""
        self.looked_at = now = time.monotonic()
        for connection in list(self.active_channels.values()):
            if self.is_ending:
                if connection.handed_over is not None:
                    connection.handed_over.end()
                connection.tend(now, SECONDS_TO_SAY_GOODBYE)
            else:
                connection.tend(now)
        self.loop.look_at_all()

    def end(self, seconds: float, notify: Callable[[], None]) -> None:
        """
        Answer requests already sent, for so many *seconds* at most.

        Connections that the kernel has queued are accepted first: closing the listener
        would reset them.
        """
        self.is_ending = True
        self.accept_who_waits()
        self.accepting = False
        # Other processes have the listener open: closed here, it would still wake us.
        self.loop.forget(self._fileno)
        self.del_channel()
        self.socket.close()
        until = time.monotonic() + seconds
        while self.active_channels and time.monotonic() < until:
            notify()
            self.loop.turn(0.05)
            self.run_calls()
            self.tend()
        self.task_dispatcher.shutdown(timeout=1)
        for connection in list(self.active_channels.values()):
            connection.handle_close()
        self.has_ended = True
        self.trigger.close()
        self.loop.close()

    def accept_who_waits(self) -> None:
        before = -1
        while before != len(self.active_channels):
            before = len(self.active_channels)
            self.handle_accept()


def most_connections() -> int:
    """Raise the limit of open files, and return the maximum of connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + FILES_BESIDE
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(MAX_CONNECTIONS, soft - FILES_BESIDE)


def one_listener(listeners: Sequence[Any]) -> socket.socket:
    """Return the socket to listen on. Raises ValueError if there are several."""
    (only,) = listeners
    found: socket.socket = only.sock
    return found

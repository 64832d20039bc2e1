"""What a server that is ended and started again costs those who are using it."""

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.support.slow_clients import HOST, Credentials

REFUSED = "refused"


@dataclass
class Users:
    """
    Clients that ask without a pause, half of them on one connection each.

    Who is refused a connection tries again, as all do. Who has sent on a connection
    that lay idle, and finds it closed before any answer, tries again once: that is what
    HTTP wants of a client that keeps connections. A new connection that is reset is
    counted apart: the kernel had made it between the last accept and the end of the
    listener, a moment that no server can take away. All else is a failure.
    """

    port: int
    path: str
    count: int = 8
    answered: int = 0
    again: int = 0
    reset: int = 0
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.is_over = threading.Event()
        self.lock = threading.Lock()
        self.threads = [
            threading.Thread(target=self.ask_on, args=(number % 2 == 0,))
            for number in range(self.count)
        ]

    def during(self, deed: Callable[[], None], seconds: float) -> "Users":
        for thread in self.threads:
            thread.start()
        time.sleep(seconds / 3)
        deed()
        time.sleep(seconds * 2 / 3)
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        return self

    def ask_on(self, keeps: bool) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10)
        while not self.is_over.is_set():
            was_used = connection.sock is not None
            try:
                headers = {"Authorization": Credentials.authorization}
                connection.request("GET", self.path, headers=headers)
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    self.note(f"status {response.status}")
                with self.lock:
                    self.answered += 1
            except ConnectionRefusedError:
                connection.close()
                time.sleep(0.02)
            except (http.client.HTTPException, OSError) as error:
                is_stale = isinstance(
                    error, http.client.RemoteDisconnected | ConnectionError
                )
                if was_used and is_stale:
                    with self.lock:
                        self.again += 1
                elif isinstance(error, ConnectionResetError):
                    with self.lock:
                        self.reset += 1
                else:
                    self.note(type(error).__name__)
                connection.close()
            if not keeps:
                connection.close()
        connection.close()

    def note(self, failure: str) -> None:
        with self.lock:
            self.failures.append(failure)

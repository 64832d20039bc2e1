"""No client that is slow keeps a thread, and none stays for ever."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.support.slow_clients import (
    BEGINNINGS,
    NOTHING,
    POST,
    get,
    open_socket,
    read_all,
    read_answer,
    slow_clients,
    status_of,
)
from tests.support.waiting import wait_until
from webapp.serving import connection, reading
from webapp.serving.server import Server

Start = Callable[[str, list[tuple[str, str]]], object]
BIG = b"x" * 8_000_000
ONE_AT_A_TIME = 1


class RunningServer:
    """A server with one thread to answer, and what its application was asked."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.asked: list[dict[str, Any]] = []
        self.may_go_on = threading.Event()
        self.is_over = threading.Event()
        self.server = Server(self.answer, self.listener, ONE_AT_A_TIME)
        self.thread = threading.Thread(target=self.run, daemon=True)

    def answer(self, environ: dict[str, Any], start: Start) -> list[bytes]:
        body = environ["wsgi.input"].read()
        self.asked.append({**environ, "body": body})
        if environ["PATH_INFO"] == "/slow":
            assert self.may_go_on.wait(20)
        found = BIG if environ["PATH_INFO"] == "/big" else b"here"
        start("200 OK", [("Content-Length", str(len(found)))])
        return [found]

    def run(self) -> None:
        while not self.is_over.is_set():
            self.server.turn()
        self.server.end(5, lambda: None)

    def end(self) -> None:
        if not self.is_over.is_set():
            self.is_over.set()
            # It may have seen so, and ended, before it is woken.
            with suppress(OSError):
                self.server.pull_trigger()

    def send(self, request: bytes) -> bytes:
        """Return all that is answered, until the server closes or nothing comes."""
        with open_socket(self.port) as client:
            client.settimeout(1)
            client.sendall(request)
            return read_all(client)


@pytest.fixture
def served() -> Iterator[RunningServer]:
    served = RunningServer()
    served.thread.start()
    yield served
    served.may_go_on.set()
    served.end()
    served.thread.join(20)
    assert not served.thread.is_alive()


@pytest.mark.parametrize("kind", [*BEGINNINGS, NOTHING])
def test_requests_that_are_not_finished_keep_nobody_waiting(
    served: RunningServer, kind: str
) -> None:
    with slow_clients(served.port, kind, 50):
        assert status_of(served.port, "/") == 200


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_a_request_that_is_not_finished_in_time_is_answered_408(
    served: RunningServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS_TO_SEND", 0.2)
    with slow_clients(served.port, kind, 1) as [client]:
        assert read_all(client)[9:12] == b"408"
    assert not served.asked


def test_a_request_that_comes_byte_by_byte_is_late_all_the_same(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS_TO_SEND", 0.5)
    with open_socket(served.port) as client:
        began = time.monotonic()
        client.settimeout(0.05)
        found = b""
        while not found and time.monotonic() < began + 20:
            client.send(b"G")
            try:
                found = client.recv(100)
            except TimeoutError:
                continue
    assert found[9:12] == b"408"


def test_a_large_body_may_take_longer(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SECONDS_TO_SEND", 0.2)
    monkeypatch.setattr(reading, "MIN_BYTES_A_SECOND", 1_000)
    with open_socket(served.port) as client:
        client.sendall(f"{POST}Content-Length: 30001\r\n\r\n".encode() + b"x" * 30_000)
        time.sleep(1.5)
        client.sendall(b"x")
        assert client.recv(12) == b"HTTP/1.1 200"


def test_a_connection_lies_idle_for_longer_than_a_proxy_keeps_it(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.SECONDS_IDLE > 60
    with open_socket(served.port) as client:
        client.sendall(get("/"))
        read_answer(client)
        [known] = served.server.active_channels.values()
        known.active_at -= connection.SECONDS_IDLE - 5
        served.server.pull_trigger()
        time.sleep(1.2)
        client.sendall(get("/"))
        assert read_answer(client).startswith(b"HTTP/1.1 200")

        def is_closed() -> bool:
            # Again each time: the thread that answered writes its own time at its end.
            known.active_at = time.monotonic() - connection.SECONDS_IDLE - 1
            return known not in served.server.active_channels.values()

        wait_until(is_closed, "it is closed")
        assert client.recv(100) == b""


def test_who_reads_nothing_keeps_nobody_waiting_and_does_not_stay(
    served: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SECONDS_TO_TAKE", 1.0)
    with open_socket(served.port, 4096) as client:
        client.sendall(get("/big"))
        wait_until(lambda: served.asked, "it is asked")
        assert status_of(served.port, "/") == 200
        wait_until(lambda: not served.server.active_channels, "it is gone", seconds=20)


def test_who_reads_slowly_gets_all_of_it(served: RunningServer) -> None:
    with open_socket(served.port) as client:
        client.sendall(get("/big", "Connection: close"))
        found = read_all(client)
    assert found.endswith(BIG)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (f"{POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (f"{POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
        (f"{POST}Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n", 400),
        (f"{POST}Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
        (f"{POST}Transfer-Encoding: chunked\r\n\r\n{'1' * 9000}", 400),
        (f"{POST}Transfer-Encoding: chunked\r\n\r\n0\r\nX: {'1' * 9000}", 400),
        (f"{POST}Transfer-Encoding: gzip\r\n\r\n", 501),
        (
            f"{POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (f"{POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}x", 400),
        (f"{POST}Content-Length: +2\r\n\r\n{{}}", 400),
        (f"{POST}Content-Length: 99999999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        ("GET /\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\nX: {'x' * 70_000}\r\n\r\n", 431),
        (
            "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
    ],
)
def test_a_request_whose_end_is_in_doubt_is_refused(
    served: RunningServer, request_: str, status: int
) -> None:
    found = served.send(request_.encode())
    assert found[9:12] == str(status).encode()
    assert not served.asked


def test_a_chunked_body_is_read_whole(served: RunningServer) -> None:
    chunks = "3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"
    served.send(f"{POST}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode())
    assert [asked["body"] for asked in served.asked] == [b"abc0123456789"]


def test_requests_that_come_together_are_answered_in_their_order(
    served: RunningServer,
) -> None:
    found = served.send(get("/one") + get("/two", "Connection: close"))
    assert found.count(b"HTTP/1.1 200") == 2
    assert [asked["PATH_INFO"] for asked in served.asked] == ["/one", "/two"]


def test_who_asks_whether_to_send_a_body_is_told_to(served: RunningServer) -> None:
    head = f"{POST}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n".encode()
    with open_socket(served.port) as client:
        client.sendall(head)
        assert client.recv(100).startswith(b"HTTP/1.1 100")
        client.sendall(b"{}")
        assert client.recv(12) == b"HTTP/1.1 200"


def test_http_1_0_is_served_and_closed(served: RunningServer) -> None:
    found = served.send(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert found.startswith(b"HTTP/1.0 200")
    assert found.endswith(b"here")


def test_what_a_proxy_says_of_itself_reaches_the_application(
    served: RunningServer,
) -> None:
    # By these alone it knows what did not come from this computer.
    served.send(get("/", "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1"))
    assert served.asked[0]["HTTP_X_FORWARDED_FOR"] == "192.0.2.1"
    assert served.asked[0]["HTTP_FORWARDED"] == "for=192.0.2.1"


def test_a_server_that_ends_answers_what_was_sent(served: RunningServer) -> None:
    with open_socket(served.port) as idle, open_socket(served.port) as client:
        idle.sendall(get("/"))
        assert read_answer(idle).startswith(b"HTTP/1.1 200")
        client.sendall(get("/slow"))
        wait_until(lambda: len(served.asked) == 2, "it is asked")
        served.end()
        wait_until(lambda: status_of(served.port, "/") == 0, "nobody listens")
        served.may_go_on.set()
        found = read_all(client)
    assert found.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in found


def test_where_too_many_are_connected_the_one_that_is_idle_for_longest_goes(
    served: RunningServer,
) -> None:
    served.server.adj.connection_limit = 20
    with slow_clients(served.port, NOTHING, 50):
        assert status_of(served.port, "/") == 200
        assert len(served.server.active_channels) <= 20

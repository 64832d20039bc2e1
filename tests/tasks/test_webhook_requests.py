"""One request of a webhook: to whom it goes, and what its answer means."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from tasks.webhooks import posting
from tasks.webhooks.posting import Answer, post
from tasks.webhooks.receiver import parse_url
from tests.support.receivers import LOOPBACK, Receiver, receiving
from tests.support.tls import make_certificate


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().serving() as receiver:
        yield receiver


def send(url: str, body: bytes = b"{}") -> Answer:
    return post(url, {"webhook-id": "1"}, body, [LOOPBACK])


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """Lend the URL of a server that does with each connection what *serve* does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=handle, args=(client,), daemon=True).start()

        def handle(client: socket.socket) -> None:
            with client:
                try:
                    client.recv(65_536)
                    serve(client)
                except OSError:
                    pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_only_2xx_is_a_delivery(receiver: Receiver, status: int) -> None:
    receiver.respond = lambda _: status

    assert send(receiver.url).outcome == "delivered"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 502, 503])
def test_another_status_is_a_failure_that_names_it(
    receiver: Receiver, status: int
) -> None:
    receiver.respond = lambda _: status
    answer = send(receiver.url)

    assert answer.outcome == "answered"
    assert answer.text.startswith(str(status))


def test_a_request_has_what_was_signed_and_says_what_it_is(receiver: Receiver) -> None:
    body = b'{"a": "\xc3\xa4"}'
    send(receiver.url, body)
    (request,) = receiver.requests

    assert request.body == body
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver: Receiver, status: int) -> None:
    with receiving(1) as (other,):
        receiver.respond = lambda _: (status, {"Location": other.url})
        answer = send(receiver.url)

    assert answer.outcome == "redirected"
    assert "redirects are not followed" in answer.text
    assert other.requests == []


def test_410_is_told_from_other_failures(receiver: Receiver) -> None:
    receiver.respond = lambda _: 410

    assert send(receiver.url).outcome == "gone"


def test_the_pause_that_a_receiver_asks_for_is_read(receiver: Receiver) -> None:
    receiver.respond = lambda _: (429, {"Retry-After": "120"})
    assert send(receiver.url).retry_after == 120
    receiver.respond = lambda _: (429, {"Retry-After": "tomorrow"})
    assert send(receiver.url).retry_after == 0


def test_a_private_address_is_refused_before_it_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "resolve", lambda *_: [ip_address("127.0.0.1")])
    for url in (
        f"https://localhost:{receiver.port}/",
        f"https://inside.example.com:{receiver.port}/",
        f"https://[::ffff:127.0.0.1]:{receiver.port}/",
        receiver.url,
    ):
        answer = post(url, {}, b"{}", [])
        assert answer.outcome == "refused", answer
        host = parse_url(url).host
        assert host not in answer.text, "the text is stored and logged"

    assert receiver.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is looked up a second time may have another address by then."""
    looked_up: list[str] = []

    def look_up(host: str, *_: Any, **__: Any) -> Any:
        looked_up.append(host)
        address = "93.184.216.34" if len(looked_up) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    tried: list[Any] = []

    def connect(address: Any, *_: Any) -> Any:
        tried.append(address)
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    answer = post(f"https://rebinding.example.com:{receiver.port}/", {}, b"{}", [])

    assert answer.outcome == "unreachable"
    assert looked_up == ["rebinding.example.com"]
    assert tried == [("93.184.216.34", receiver.port)]


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert send(receiver.url).outcome == "delivered"


def test_who_trickles_is_given_up_when_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each byte comes in time, and the head of the answer never ends."""
    monkeypatch.setattr(posting, "SECONDS_TO_ANSWER", 0.4)

    def trickle(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            client.sendall(b"a")
            time.sleep(0.05)

    began = time.monotonic()
    with raw_server(trickle) as url:
        answer = send(url)

    assert answer.outcome == "timed out"
    assert time.monotonic() - began < 5


def test_what_a_receiver_does_not_read_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(posting, "SECONDS_TO_ANSWER", 0.4)
    with raw_server(lambda _: time.sleep(5)) as url:
        assert send(url, b"x" * 50_000_000).outcome == "timed out"


def test_of_a_long_answer_only_the_beginning_is_read() -> None:
    sent = []

    def flood(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 500 Oh\r\n\r\n")
        for _ in range(10_000):
            client.sendall(b"x" * 65_536)
            sent.append(65_536)

    with raw_server(flood) as url:
        answer = send(url)

    assert answer.outcome == "answered"
    assert len(answer.body) == posting.MAX_BODY_BYTES
    assert sum(sent) < 100_000_000


def test_what_a_receiver_writes_is_not_in_the_text_that_is_kept() -> None:
    """It may repeat the event, and with it what is personal."""

    def repeat(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 400 Alice Retro\r\n\r\nAlice Retro\x1b[2J")

    with raw_server(repeat) as url:
        answer = send(url)

    assert answer.text == "400 Bad Request"
    assert answer.body == "Alice Retro\\u001b[2J"


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0\r\n\r\n", b"HTTP/1.1 " + b"x" * 70_000]
)
def test_what_is_no_http_is_a_failure(answer: bytes) -> None:
    with raw_server(lambda client: client.sendall(answer)) as url:
        assert send(url).outcome == "unreachable"


def test_nobody_there_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert send(f"http://127.0.0.1:{port}/").outcome == "unreachable"
    answer = post("https://nobody.invalid/", {}, b"{}", [])
    assert answer.outcome == "unreachable"


@contextmanager
def tls_server(folder: Path) -> Iterator[tuple[int, Path]]:
    """Lend the port of a server whose certificate is for 127.0.0.1."""
    certificate, key = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                    with context.wrap_socket(client, server_side=True) as inner:
                        inner.recv(65_536)
                        inner.sendall(b"HTTP/1.1 204 None\r\n\r\n")
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], certificate
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def test_a_certificate_has_to_be_the_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls_server(tmp_path) as (port, certificate):
        unknown = send(f"https://127.0.0.1:{port}/")
        trusting = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(posting, "tls_context", lambda: trusting)
        right = send(f"https://127.0.0.1:{port}/")
        monkeypatch.setattr(posting, "resolve", lambda *_: [ip_address("127.0.0.1")])
        another = send(f"https://other.example.com:{port}/")

    assert unknown.outcome == another.outcome == "unreachable"
    assert "SSLCertVerificationError" in unknown.text
    assert "SSLCertVerificationError" in another.text
    assert right.outcome == "delivered"
    assert "other.example.com" not in another.text
    assert another.text != unknown.text

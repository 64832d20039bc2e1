"""Receivers of webhooks: real HTTP servers that record what they get."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any, NamedTuple

import pytest

from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.connections import connect
from tasks.shop.event_feed import ALL, START, EventFilter
from tasks.shop.wiring import Shop
from tasks.webhooks.registry import add_webhook
from tasks.webhooks.sender import Sender
from tasks.webhooks.standing import Standing, find_standings
from tasks.webhooks.turn import take_turn
from tests.support.databases import as_role

LOOPBACK = ip_network("127.0.0.0/8")


class Request(NamedTuple):
    """A request as it came: *at* is its time by the monotonic clock."""

    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Respond = Callable[[Request], int | tuple[int, dict[str, str]]]


@dataclass
class Receiver:
    """A server on a port of this computer, and all that it got."""

    respond: Respond = lambda _: 204
    requests: list[Request] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def ids(self) -> list[str]:
        with self.lock:
            return [request.id for request in self.requests]

    def streams(self) -> dict[str, list[int]]:
        """Return the versions that came, by stream, as they came."""
        found: dict[str, list[int]] = {}
        with self.lock:
            for request in self.requests:
                event = request.event
                found.setdefault(event["stream"], []).append(event["version"])
        return found

    def hang(self, _: Request) -> int:
        """Answer when the test is over."""
        self.is_over.wait(60)
        return 204

    @contextmanager
    def serving(self) -> Iterator["Receiver"]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                if len(body) < length:
                    # A sender that was killed: no server hands on half a request.
                    return
                request = Request(headers, body, time.monotonic())
                with receiver.lock:
                    receiver.requests.append(request)
                    receiver.under_way += 1
                    receiver.most_under_way = max(
                        receiver.most_under_way, receiver.under_way
                    )
                response = receiver.respond(request)
                with receiver.lock:
                    receiver.under_way -= 1
                status, more = (response, {}) if isinstance(response, int) else response
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: object) -> None:
                """Say nothing: a sender that was killed has left."""

        with Server(("127.0.0.1", self.port), Handler) as server:
            self.port = server.server_port
            thread = threading.Thread(
                target=server.serve_forever, kwargs={"poll_interval": 0.02}
            )
            thread.start()
            try:
                yield self
            finally:
                self.is_over.set()
                server.shutdown()
                thread.join()


@contextmanager
def receiving(count: int) -> Iterator[list[Receiver]]:
    """Lend so many receivers that answer 204."""
    with ExitStack() as stack:
        yield [stack.enter_context(Receiver().serving()) for _ in range(count)]


def add(
    shop: Shop,
    name: str,
    url: str,
    *,
    wanted: EventFilter = ALL,
    is_personal: bool = False,
    after: ForeignCheckpoint = START,
) -> bytes:
    """Add a webhook that begins with the first event, and return its secret."""
    with shop.lent() as connection:
        return add_webhook(
            connection,
            name,
            url,
            wanted=wanted,
            is_personal=is_personal,
            after=after,
            masters=shop.settings.master_keys,
        )


def standing_of(shop: Shop, name: str = "crm") -> Standing:
    with shop.lent() as connection:
        (standing,) = find_standings(connection, name)
    return standing


def has_stopped(shop: Shop) -> bool:
    return standing_of(shop).state == "stopped"


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the pauses of a sender short."""
    monkeypatch.setattr("tasks.webhooks.sender.SECONDS_BETWEEN_LOOKS", 0.02)
    monkeypatch.setattr("tasks.webhooks.sender.SECONDS_BETWEEN_LISTS", 0.02)
    monkeypatch.setattr("tasks.webhooks.attempts.FIRST_PAUSE", 0.02)
    monkeypatch.setattr("tasks.webhooks.attempts.MAX_PAUSE", 0.1)


@contextmanager
def sending(shop: Shop) -> Iterator[Sender]:
    """Send with the rights of the relay, to receivers of this computer, too."""
    settings = replace(
        shop.settings,
        database_url=as_role(shop.settings.database_url, "relay"),
        role="relay",
        webhook_networks=(LOOPBACK,),
    )
    relay = replace(shop, settings=settings)
    stop, failures = threading.Event(), []
    with closing(connect(settings.database_url, "relay")) as session:
        assert take_turn(session)
        sender = Sender(relay, session)

        def run() -> None:
            try:
                sender.run(stop)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield sender
        finally:
            stop.set()
            thread.join()
    assert failures == []

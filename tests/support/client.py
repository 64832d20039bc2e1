"""A client of the API: it keeps its own log of what it was answered."""

import http.client
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tasks.shop.local_access import authorization
from tests.faults.answers import Attempt
from tests.support.settings import SECRET_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said to one command."""

    status: int
    body: dict[str, Any]
    seconds: float

    @property
    def command_id(self) -> str:
        return str(self.body["id"])


@dataclass
class Client:
    """One connection to the API, with a log of its own; not for several threads."""

    address: str
    authorization: str = authorization(SECRET_KEY)
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.host = urlsplit(self.address).netloc
        self.connection = http.client.HTTPConnection(self.host, timeout=30)

    def send(self, type_: str, data: dict[str, Any], *, key: str = "") -> Answer:
        """Send a command and keep the answer."""
        key = key or uuid.uuid4().hex
        body = {"type": type_, "data": data}
        return self.ask(body, key)

    def ask(self, body: dict[str, Any], key: str) -> Answer:
        """Send the body of a command, write down what was answered, and return it."""
        started = time.monotonic()
        status, told = self.call(
            "POST", "/api/commands", body, {"Idempotency-Key": key}
        )
        ended = time.monotonic()
        self.attempts.append(
            Attempt(
                key=key,
                type=body["type"],
                stream="",
                data=body["data"],
                sent_at=started,
                answered_at=ended,
                status=status,
                command_id=told.get("id"),
                problem=told.get("type", "") if status != 202 else "",
                not_before=body.get("not_before", ""),
            )
        )
        return Answer(status=status, body=told, seconds=ended - started)

    def get(self, path: str) -> Any:
        status, body = self.call("GET", path)
        assert status == 200, body
        return body

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        self.connection.request(
            method,
            path,
            None if body is None else json.dumps(body).encode(),
            {
                "Authorization": self.authorization,
                "Content-Type": "application/json",
                **(headers or {}),
            },
        )
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    def wait_for(self, command_id: str, *, seconds: float = 60) -> dict[str, Any]:
        """Return the command when it is final."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            body: dict[str, Any] = self.get(f"/api/commands/{command_id}")
            if body["status"] not in ("accepted", "scheduled"):
                return body
            time.sleep(0.01)
        raise AssertionError(f"{command_id} is not final after {seconds} s")

    def close(self) -> None:
        self.connection.close()


@contextmanager
def client_of(
    address: str, authorization: str = Client.authorization
) -> Iterator[Client]:
    client = Client(address, authorization)
    try:
        yield client
    finally:
        client.close()


def send_all(
    address: str, commands: Iterable[tuple[str, dict[str, Any]]], *, clients: int = 8
) -> list[Answer]:
    """Send commands from several connections; return the answers in their order."""
    numbered = list(enumerate(commands))

    def send(share: Sequence[tuple[int, tuple[str, dict[str, Any]]]]) -> list[Any]:
        with client_of(address) as client:
            return [(n, client.send(type_, data)) for n, (type_, data) in share]

    with ThreadPoolExecutor(clients) as pool:
        shares = pool.map(send, [numbered[n::clients] for n in range(clients)])
    return [
        answer
        for _, answer in sorted((a for s in shares for a in s), key=lambda a: a[0])
    ]

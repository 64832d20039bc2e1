"""A client that asks again until it is answered, and writes each attempt down."""

import http.client
import json
import threading
import time
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from tests.faults.answers import Answers, Attempt
from tests.faults.load.story import Command

TIMEOUT = 20.0
"""Seconds that it waits for an answer before it asks once more."""
PAUSE = 0.25
MAX_SECONDS = 180.0
"""So long it goes on asking for one and the same command."""
ERRORS = (OSError, http.client.HTTPException)
NOT_JSON = "not-json"


class Line(NamedTuple):
    """A command and the key that its sender chose for it."""

    key: str
    command: Command

    @property
    def body(self) -> dict[str, Any]:
        later = self.command.not_before
        about = {"type": self.command.type, "data": self.command.data}
        return about | ({"not_before": later} if later else {})


class Client:
    """
    One connection to the API; not for several threads.

    It asks again until it is answered, for `MAX_SECONDS`, or until *is_over*.
    """

    def __init__(
        self,
        address: str,
        answers: Answers,
        is_over: threading.Event,
        authorization: str,
    ) -> None:
        self.authorization = authorization
        self.answers = answers
        self.is_over = is_over
        self.connection = http.client.HTTPConnection(
            urlsplit(address).netloc, timeout=TIMEOUT
        )

    def send(self, line: Line) -> Attempt:
        """Send a command until it is answered by anything but a 503; return that."""
        until = time.monotonic() + MAX_SECONDS
        while True:
            attempt = self.attempt(line)
            self.answers.write(attempt)
            if is_answered(attempt.status) or not self.goes_on(until):
                return attempt

    def attempt(self, line: Line) -> Attempt:
        sent_at = time.monotonic()
        body = json.dumps(line.body).encode()
        status, answer, problem = self.post("/api/commands", body, line.key)
        return attempt_of(
            line, sent_at, status, problem, command_id=(answer or {}).get("id")
        )

    def send_batch(self, lines: list[Line], key: str) -> list[Attempt]:
        """Send a batch until it is answered; return the last attempt of each line."""
        items = [{**line.body, "key": line.key} for line in lines]
        body = json.dumps(items).encode()
        until = time.monotonic() + MAX_SECONDS
        while True:
            sent_at = time.monotonic()
            status, answer, problem = self.post("/api/commands/batch", body, key)
            told = (answer or {}).get("lines") if status in (202, 422) else None
            attempts = [
                attempt_of(line, sent_at, status, problem, batch=True)
                if told is None
                else of_told(line, sent_at, told[number])
                for number, line in enumerate(lines)
            ]
            self.answers.write(*attempts)
            if is_answered(status) or not self.goes_on(until):
                return attempts

    def goes_on(self, until: float) -> bool:
        """Wait a little, and say whether to ask once more."""
        return not self.is_over.wait(PAUSE) and time.monotonic() < until

    def take_back(self, line: Line, command_id: str) -> None:
        """Ask once that a command is not done; its 200 says that it will not be."""
        sent_at = time.monotonic()
        path = f"/api/commands/{command_id}/cancel"
        status, _, problem = self.post(path, b"{}", "")
        attempt = attempt_of(line, sent_at, status, problem, command_id=command_id)
        self.answers.write(msgspec.structs.replace(attempt, takes_back=True))

    def post(self, path: str, body: bytes, key: str) -> tuple[int | None, Any, str]:
        """Return status, body and problem; the status is None if no answer came."""
        headers = {
            "Authorization": self.authorization,
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            self.connection.request("POST", path, body, headers)
            response = self.connection.getresponse()
            body = response.read()
        except ERRORS as error:
            self.connection.close()
            return None, None, type(error).__name__
        try:
            answer = json.loads(body)
        except ValueError:
            # It is an answer all the same, and none that is documented.
            return response.status, None, NOT_JSON
        return response.status, answer, str(answer.get("type", ""))

    def ask(self, path: str) -> Any:
        """Return what a query answers, or None where it does not."""
        try:
            headers = {"Authorization": self.authorization}
            self.connection.request("GET", path, headers=headers)
            response = self.connection.getresponse()
            body = json.loads(response.read())
        except (*ERRORS, ValueError):
            self.connection.close()
            return None
        return body if response.status == 200 else None

    def close(self) -> None:
        self.connection.close()


def is_answered(status: int | None) -> bool:
    return status is not None and status != 503


def attempt_of(
    line: Line,
    sent_at: float,
    status: int | None,
    problem: str = "",
    *,
    command_id: str | None = None,
    batch: bool = False,
) -> Attempt:
    return Attempt(
        key=line.key,
        type=line.command.type,
        stream=line.command.stream,
        data=line.command.data,
        sent_at=sent_at,
        answered_at=None if status is None else time.monotonic(),
        status=status,
        command_id=command_id,
        problem=problem,
        batch=batch,
        not_before=line.command.not_before or "",
    )


def of_told(line: Line, sent_at: float, told: dict[str, Any]) -> Attempt:
    """Return the attempt of one line, as the answer to its batch tells of it."""
    is_accepted = told["status"] != "refused"
    return attempt_of(
        line,
        sent_at,
        202 if is_accepted else 422,
        str(told.get("problem", "")),
        command_id=told.get("id"),
        batch=True,
    )

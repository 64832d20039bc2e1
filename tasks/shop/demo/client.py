"""A client of the API: sends a command and waits for its final status."""

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0
"""Seconds to wait for a command; most take a few hundredths."""
PAUSE = 0.02
NO_SHOP = "what answers at {} is not Recount"


class DemoFailed(Exception):
    """The demonstration cannot continue; the message is a sentence for its user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """An accepted command; *is_new* is True if it was not finished before."""

    step: str
    id: str
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedCommand:
    """A command that has succeeded: its stream, and when it finished."""

    subject: str
    finished_at: datetime


class Client:
    """One connection to the shop at *address*, like http://127.0.0.1:5000."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address.rstrip("/")
        self.token = token
        url = urlsplit(self.address)
        self.connection = http.client.HTTPConnection(url.netloc, timeout=PATIENCE)

    def send(self, step: str, type_: str, data: Mapping[str, Any]) -> SentCommand:
        """
        Send a command, with *step* as its key: the same step has one effect.

        Raises DemoFailed if it is not accepted.
        """
        status, body = self.call(
            "POST", "/api/commands", {"type": type_, "data": data}, key=step
        )
        if status == 401:
            raise DemoFailed(
                "the shop wants another token: set RECOUNT_TOKEN to that of a user who"
                " may do it all (recount tokens create NAME makes it), or leave it out"
                " where there is no user"
            )
        if status != 202:
            raise DemoFailed(f"{step} was not accepted: {describe_problem(body)}")
        return SentCommand(
            step=step, id=body["id"], is_new=body["status"] == "accepted"
        )

    def wait_for(self, sent: SentCommand) -> FinishedCommand:
        """Return a command once it has succeeded. Raises DemoFailed if it does not."""
        until = time.monotonic() + PATIENCE
        while True:
            status, command = self.call("GET", f"/api/commands/{sent.id}")
            if status != 200:
                raise DemoFailed(
                    f"how {sent.step} ended is not told: {describe_problem(command)}"
                )
            if command["status"] == "succeeded":
                return FinishedCommand(
                    subject=command["stream_id"].partition("-")[2],
                    finished_at=datetime.fromisoformat(command["finished_at"]),
                )
            if command["status"] != "accepted":
                error = command["error"] or {}
                raise DemoFailed(
                    f"{sent.step} was {command['status']}: {error.get('message', '')}"
                    f" See {self.address}/commands/{sent.id}"
                )
            if time.monotonic() > until:
                raise DemoFailed(
                    f"{sent.step} was accepted, and nobody runs it: ./recount status"
                    " shows whether a worker is there"
                )
            time.sleep(PAUSE)

    def call(
        self, method: str, path: str, body: object = None, *, key: str = ""
    ) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON of the answer."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        try:
            self.connection.request(
                method, path, json.dumps(body).encode() if body else None, headers
            )
            response = self.connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(
                f"nothing answers at {self.address}: start ./recount up first"
            ) from error
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise DemoFailed(NO_SHOP.format(self.address)) from error
        if not isinstance(answer, dict):
            raise DemoFailed(NO_SHOP.format(self.address))
        return status, answer

    def close(self) -> None:
        self.connection.close()


def describe_problem(problem: Mapping[str, Any]) -> str:
    """Return the text of a problem (RFC 9457), with each of its faults."""
    faults = [f"{f['field']} {f['problem']}" for f in problem.get("faults", ())]
    return "; ".join([str(problem.get("detail", "no reason is given")), *faults])

"""What a step of the tour can do: run commands before the visitor's eyes, and check."""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg

from embedded import handover
from embedded.folders import ROOT
from embedded.tour import screen
from embedded.tour.own_shop import OwnShop
from tasks.shop.local_access import read_authorization

PATIENCE = 60.0
"""Seconds to wait for what a step announces."""
LIMIT = 120.0
"""Seconds that one command may take."""
FINAL = ("succeeded", "rejected", "failed")


class StepFailed(Exception):
    """What a step of the tour says did not happen; the message says what."""


@dataclass(frozen=True, slots=True)
class AcceptedCommand:
    """A command that was answered with 202."""

    id: str
    address: str


@dataclass(slots=True)
class Visit:
    """One visit to the shop, and the places to look at that a step names."""

    shop: OwnShop
    places: list[tuple[str, str]] = field(default_factory=list)

    def recount(self, *arguments: str) -> str:
        """Show and run `./recount` with *arguments*; return what it prints."""
        screen.show_command("$", f"./recount {shlex.join(arguments)}")
        # What `./recount` becomes for it: that costs one start of Python, not two.
        return self.run(handover.command_line(list(arguments)))

    def program(self, module: str, *arguments: str) -> str:
        """Show and run a program of the tour; return what it prints."""
        screen.show_command("$", shlex.join(["python", "-m", module, *arguments]))
        return self.run([sys.executable, "-P", "-m", module, *arguments])

    def psql(self, statement: str) -> str:
        """Show and run a statement in psql; return its table."""
        screen.show_command("psql>", statement)
        psql = [self.shop.psql, "--no-psqlrc", "--pset", "footer=off"]
        return self.run([*psql, "--command", statement, self.shop.database_url])

    def run(self, command: list[str]) -> str:
        """Run a command, and show its output. Raises StepFailed if it fails."""
        try:
            ended = subprocess.run(
                command,
                cwd=ROOT,
                env={**self.shop.environment, **self.shop.running.environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=LIMIT,
            )
        except subprocess.TimeoutExpired as error:
            # As bytes, although text was asked for.
            screen.show_output((error.stdout or b"").decode(errors="replace"))
            raise StepFailed(
                f"that command did not end within {LIMIT:.0f} s, and was stopped"
            ) from error
        screen.show_output(ended.stdout)
        if ended.returncode:
            raise StepFailed(f"that command ended with status {ended.returncode}")
        return ended.stdout

    def send(self, type_: str, **data: Any) -> AcceptedCommand:
        """Show and send a command to the API, as any program does."""
        body = {"type": type_, "data": data}
        screen.show_command("POST /api/commands", json.dumps(body, ensure_ascii=False))
        accepted = self.send_unseen(type_, **data)
        screen.show_output(f"202 Accepted, {accepted.address}")
        return accepted

    def send_unseen(self, type_: str, **data: Any) -> AcceptedCommand:
        """Send a command without showing it: what a step only needs beforehand."""
        status, answer = self.call(
            "POST", "/api/commands", {"type": type_, "data": data}
        )
        if status != 202:
            raise StepFailed(f"{type_} was answered with {status}: {answer}")
        return AcceptedCommand(answer["id"], answer["links"]["self"])

    def call(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, dict[str, Any]]:
        """
        Send a request to the API, unseen; return its status and JSON.

        Raises StepFailed if the answer is none.
        """
        status, text = self.fetch(method, path, body)
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise StepFailed(
                f"{method} {path} was answered with {status}, and without JSON"
            ) from error
        return status, answer

    def fetch(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Send a request, unseen, and return the status and the body of the answer."""
        headers = {
            "Authorization": read_authorization(self.shop.header),
            "Content-Type": "application/json",
            "Idempotency-Key": f"tour {uuid4()}",
        }
        url = urlsplit(self.shop.address)
        connection = HTTPConnection(url.hostname or "", url.port, timeout=PATIENCE)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait_for(self, accepted: AcceptedCommand) -> Mapping[str, Any]:
        """Return a command once it has ended, however it did."""

        def ended() -> Mapping[str, Any] | None:
            _, command = self.call("GET", accepted.address)
            return command if command["status"] in FINAL else None

        command: Mapping[str, Any] = self.wait_until(ended, "the command has ended")
        return command

    def wait_for_rows(self, name: str, path: str) -> list[dict[str, Any]]:
        """Return the rows of a list called *name*, once it is made; unseen."""

        def made() -> list[dict[str, Any]] | None:
            status, answer = self.call("GET", path)
            if status not in (200, 503):
                raise StepFailed(f"{path} is answered with {status}: {answer}")
            return answer[name] if status == 200 else None

        screen.show_command("GET", path)
        rows: list[dict[str, Any]] = self.wait_until(made, "the list is made")
        screen.show_output(f"200 OK, {len(rows)} rows")
        return rows

    def do(self, type_: str, **data: Any) -> str:
        """Have a command succeed, unseen; return the subject: the order's number."""
        command = self.wait_for(self.send_unseen(type_, **data))
        if command["status"] != "succeeded":
            raise StepFailed(f"{type_} was {command['status']}: {command['error']}")
        return str(command["stream_id"]).partition("-")[2]

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a statement, unseen."""
        with psycopg.connect(self.shop.database_url, autocommit=True) as connection:
            return connection.execute(statement, values).fetchall()

    def ask_one(self, statement: str, *values: Any) -> Any:
        """Return the one value of a statement. Raises StepFailed without a row."""
        rows = self.ask(statement, *values)
        if not rows:
            raise StepFailed(f"nothing was found by: {statement}")
        return rows[0][0]

    def check(self, claim: str, holds: object) -> None:
        """Say that *claim* was checked. Raises StepFailed if it does not hold."""
        if not holds:
            raise StepFailed(f"this does not hold: {claim}")
        screen.show_check(claim)

    def wait_until(self, condition: Callable[[], Any], what: str) -> Any:
        """Return what *condition* returns once it is true. Raises StepFailed."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            if time.monotonic() > end:
                raise StepFailed(f"this did not happen within {PATIENCE:.0f} s: {what}")
            time.sleep(0.05)
        return found

    def page(self, path: str) -> None:
        """Name a page to look at, once it is made. Raises StepFailed without one."""

        def answered() -> bool:
            status, _ = self.fetch("GET", path)
            if status not in (200, 202):
                raise StepFailed(f"the page {path} is answered with {status}")
            return status == 200

        self.wait_until(answered, f"the page {path} is made")
        self.places.append(("browser", f"{self.shop.address}{path}"))

    def table(self, statement: str) -> None:
        """Name a statement to try in psql. Raises psycopg.Error if it is none."""
        if not statement.startswith("\\"):
            self.ask(statement.replace("%", "%%"))
        self.places.append(("psql", statement))

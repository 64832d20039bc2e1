"""A shop with real processes that read, and all places that tell when they do not."""

import signal
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from click.testing import CliRunner

from cli.lag import lag
from cli.status import status
from tasks import commands
from tasks.accept import accept
from tasks.shop.local_access import authorization
from tasks.shop.wiring import Shop
from tests.support.desk import place
from tests.support.engine import connect
from tests.support.processes import Process, Processes
from tests.support.standing_still import LIST
from tests.support.waiting import wait_until


@dataclass
class Scene:
    """A shop with its web, whose readers have read everything so far."""

    processes: Processes
    shop: Shop
    address: str
    folder: Path
    readers: list[Process] = field(default_factory=list)
    placed_at: float = 0.0

    def start(self, app: str = "", **environment: str) -> None:
        """Start those that read: a worker with one child, and a relay."""
        self.processes.extra.update(environment)
        worker = self.processes.worker(app or "tasks.app", concurrency=1)
        relay = self.processes.relay(app or "tasks.relay")
        self.readers += [worker, relay]
        try:
            wait_until(lambda: "relay" in self.alive(), "both live", seconds=20)
        except AssertionError as error:
            raise AssertionError(relay.text()[-2_000:]) from error

    def alive(self) -> set[str]:
        with connect(self.shop.settings.database_url) as connection:
            rows = connection.execute("SELECT role FROM heartbeats").fetchall()
        return {role for (role,) in rows}

    def send(self, number: signal.Signals) -> None:
        for reader in self.readers:
            reader.send(number)

    def execute(self, statement: str) -> None:
        with connect(self.shop.settings.database_url) as connection:
            connection.execute(statement.encode())

    def do(self, command: object = place, key: str = "next") -> None:
        """Have a command run by this process, which reads nothing."""
        accepted = accept(self.shop, command, key=key, principal="staff")
        commands.run(self.shop, [accepted.command_id])
        self.placed_at = time.monotonic()

    def get(self, path: str) -> str:
        headers = {"Authorization": authorization(self.shop.settings.secret_key)}
        request = urllib.request.Request(self.address + path, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            body: bytes = answer.read()
        return body.decode()

    def places(self) -> dict[str, Callable[[], str | None]]:
        """Return who is asked, by place; each answers why, or None: all is well."""
        return {
            "page": lambda: (
                "old" if "of this page is old" in self.get("/orders") else None
            ),
            "api": lambda: msgspec.json.decode(self.get("/api/orders")).get(
                "stands_still_because"
            ),
            "readyz": self.find_in_readyz,
            "metrics": self.find_in_metrics,
            "status": lambda: stopped_line(CliRunner().invoke(status).output),
            "log lag": lambda: stopped_line(CliRunner().invoke(lag).output),
        }

    def find_in_readyz(self) -> str | None:
        told = msgspec.json.decode(self.get("/readyz"))
        found = [s["because"] for s in told["standstills"] if s["subscription"] == LIST]
        assert told["status"] == ("degraded" if told["standstills"] else "ok")
        return found[0] if found else None

    def find_in_metrics(self) -> str | None:
        head = "recount_subscription_standstill_seconds"
        for line in self.get("/metrics").splitlines():
            if line.startswith(head) and f'subscription="{LIST}"' in line:
                return line.partition('because="')[2].partition('"')[0]
        return None


def stopped_line(output: str) -> str | None:
    """Return the line of the list of orders if it says that it stands still."""
    (line,) = [line for line in output.splitlines() if line.startswith(LIST)]
    words = ("STANDS STILL", "STOPPED", "OUTDATED")
    return line if any(word in line for word in words) else None

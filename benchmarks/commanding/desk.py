"""One order desk: a database, a broker, and the shop's processes on both."""

import os
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from honcho.environ import parse_procfile

from benchmarks.commanding.servers import Servers, wait_until
from benchmarks.loading import backlog
from embedded.child import Program, spawn
from embedded.folders import ROOT
from embedded.logins import for_process
from embedded.port import claim_port
from tasks.shop import local_access, wiring
from tasks.shop.settings import settings_from
from tasks.shop.wiring import Shop

APP = "benchmarks.commanding.empty"
PROCFILE = parse_procfile((ROOT / "Procfile").read_text())


class Desk:
    """An order desk; without *projections* no reader is started after an append."""

    def __init__(self, servers: Servers, *, projections: bool = False) -> None:
        self.servers = servers
        self.environment, number = servers.copy()
        self.environment["PYTHONPATH"] = os.fspath(ROOT)
        self.environment["CATCH_UP_SIGNALS"] = "on" if projections else "off"
        self.broker = servers.broker(number)
        self.folder = servers.folders.logs
        self.name = f"desk{number}"
        self.shop = Shop(settings_from(self.environment))
        self.running: list[Running] = []
        self.address = ""

    @property
    def authorization(self) -> str:
        """What its own programs send."""
        return local_access.authorization(self.environment["SECRET_KEY"])

    def connect(self) -> psycopg.Connection[Any]:
        """Return a connection of the owner's, which may look at everything."""
        return psycopg.connect(self.environment["DATABASE_URL"], autocommit=True)

    def use(self) -> None:
        """Let what is published by this process go to this desk's workers."""
        wiring.use(self.shop)

    def worker(self, children: int) -> "Running":
        """Start a worker as the Procfile has it, with so many processes for tasks."""
        words = PROCFILE.processes["worker"].replace(
            "--concurrency 3", f"--concurrency {children}"
        )
        # Its own name: two workers with one name could not be distinguished.
        words = words.replace("worker@", f"{self.name}-{children}-{len(self.running)}@")
        worker = self.start("worker", words.replace("tasks.app", APP))
        wait_until(lambda: " ready." in worker.text(), f"a worker: {worker.log}")
        return worker

    def web(self) -> str:
        """Start the web server as the Procfile has it; return its address."""
        port = claim_port({})
        self.environment["PORT"] = str(port.number)
        port.release()
        self.address = f"http://127.0.0.1:{port.number}"
        web = self.start("web")
        wait_until(lambda: "Listening at" in web.text(), f"the web: {web.log}")
        return self.address

    def start(self, name: str, words: str | None = None) -> "Running":
        log = self.folder / f"{self.name}-{name}-{uuid.uuid4().hex[:6]}.log"
        program = Program(
            name=name,
            command=["sh", "-c", words or PROCFILE.processes[name]],
            environment=for_process(name, self.environment),
            folder=ROOT,
            log=log,
        )
        running = Running(name, spawn(program), log)
        self.running.append(running)
        return running

    def end(self, name: str) -> None:
        """Kill a process with all its children."""
        for running in [one for one in self.running if one.name == name]:
            running.kill()
            self.running.remove(running)

    def stop(self) -> None:
        for name in {running.name for running in self.running}:
            self.end(name)

    def start_all(self, children: int) -> None:
        """Start all that the Procfile has."""
        self.worker(children)
        self.web()
        self.start("beat")
        self.start("relay")

    def wait_until_final(self, seconds: float = 300) -> bool:
        """Wait until no command waits; return whether any did."""
        with self.connect() as connection:
            if not waits(connection):
                return False
            wait_until(lambda: not waits(connection), "all is final", seconds, 0.003)
        return True

    def settle(self) -> None:
        """Wait until the read models have come to the end of the log, too."""
        with self.connect() as connection:

            def is_settled() -> bool:
                look = backlog.look(connection, 0.0)
                return not look.waiting and not look.lag

            wait_until(is_settled, "the read models are up to date", 120)


def waits(connection: psycopg.Connection[Any]) -> bool:
    """Return whether a command waits that is not scheduled for later."""
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM public.commands WHERE status = 'accepted')"
    ).fetchone()
    return row == (True,)


class Running:
    """A process of the shop, with its children in a session of its own."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended: {self.log.read_text()[-2000:]}")
        return self.log.read_text(errors="replace")

    def send(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.send(signal.SIGKILL)
        self.process.wait()


@contextmanager
def desk(servers: Servers, *, projections: bool = False) -> Iterator[Desk]:
    own = Desk(servers, projections=projections)
    try:
        yield own
    finally:
        own.stop()
        own.shop.engine.dispose()

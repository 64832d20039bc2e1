"""Real processes for tests: started, waited for by a condition, killed, stopped."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from embedded.binaries import redis_server
from tasks.broker.queues import queue_name
from tasks.shop.identity import identity_of
from tasks.shop.settings import Settings
from tests.support.databases import LOGINS, MASTER_KEY, ROOT, as_role
from tests.support.waiting import wait_until

CELERY = [sys.executable, "-m", "celery", "-A"]


@dataclass
class Process:
    """A process in a session of its own; all of it is killed by `kill`."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    log: Path
    code: Path = ROOT
    running: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def start(self) -> None:
        with self.log.open("ab") as log:
            # Whoever interrupts the tests leaves nothing running.
            self.running = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.command],
                cwd=self.code,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.starts += 1

    def kill(self) -> None:
        """Kill it and all its children with -9."""
        if self.running is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.running = None

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it and all its children."""
        assert self.running is not None
        os.killpg(self.running.pid, number)

    def stop(self) -> int:
        """Stop it by TERM to its leader, as a service manager does."""
        assert self.running is not None
        self.running.terminate()
        status = self.running.wait(40)
        self.running = None
        return status

    def text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class Processes:
    """The processes of one order desk, on a database and a broker of the test's."""

    settings: Settings
    folder: Path
    all: list[Process] = field(default_factory=list)
    # Where the code is that they run.
    code: Path = ROOT
    # What all of them are told besides.
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        database = self.settings.database_url
        inherited = ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
        return {
            **{name: os.environ[name] for name in inherited if name in os.environ},
            "PYTHONPATH": str(self.code),
            # Each process of the shop has the rights of its role alone.
            **{
                f"{role.upper()}_DATABASE_URL": as_role(
                    self.settings.database_url, role
                )
                for role in LOGINS
            },
            "ADMIN_DATABASE_URL": database,
            "REDIS_URL": self.settings.broker_url,
            "SECRET_KEY": self.settings.secret_key,
            "MASTER_KEY": MASTER_KEY,
            "STATE_DIR": str(self.folder),
            "CURRENCY": self.settings.currency,
            "LOCALE": self.settings.locale,
            "CATCH_UP_SECONDS": str(self.settings.catch_up_seconds),
            # What waits for a month would never be done in these tests.
            "UNPAID_DAYS": "never",
            "CATCH_UP_SIGNALS": "on" if self.settings.catch_up_signals else "off",
            "SNAPSHOT_EVENTS": str(self.settings.snapshot_policy.every),
            "SNAPSHOT_SECONDS": str(self.settings.snapshot_seconds),
            "SEAL_SECONDS": str(self.settings.seal_seconds),
            **self.extra,
        }

    def queue(self, name: str) -> str:
        """Return what a queue of the shop is called at its broker."""
        url = self.settings.database_url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            return queue_name(name, identity_of(connection))

    def start(self, name: str, *command: str, **environment: str) -> Process:
        process = Process(
            name,
            list(command),
            {**self.environment, **environment},
            self.folder / f"{name}.log",
            self.code,
        )
        self.all.append(process)
        process.start()
        return process

    def worker(
        self, app: str = "tasks.app", *options: str, concurrency: int = 2
    ) -> Process:
        """Start a worker; *app* may be a module of the tests, with other deciders."""
        worker = self.start(
            "worker",
            *CELERY,
            app,
            *("worker", "--concurrency", str(concurrency)),
            *("--without-gossip", "--without-mingle"),
            *options,
        )
        wait_until(lambda: "ready" in worker.text(), "the worker is ready")
        return worker

    def beat(self) -> Process:
        schedule = str(self.folder / "schedule")
        return self.start("beat", *CELERY, "tasks.app", "beat", "--schedule", schedule)

    def relay(self, module: str = "tasks.relay") -> Process:
        return self.start("relay", sys.executable, "-m", module)

    def web(self, *options: str, **environment: str) -> str:
        """Start the web server and return its address, once it answers."""
        port = free_port()
        web = self.start(
            "web",
            # As the Procfile has it.
            *(sys.executable, "-m", "gunicorn"),
            *("--config", "python:webapp.serving.gunicorn"),
            *options,
            "webapp:create_app()",
            PORT=str(port),
            **environment,
        )
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(f"{address}/healthz"), f"web: {web.text()[-2000:]}")
        return address

    def redis(self, *options: str) -> Process:
        """Start a Redis of the test's own, on the socket that the settings name."""
        path = self.settings.broker_url.removeprefix("redis+socket://")
        server = self.start(
            "redis",
            str(redis_server(os.environ)),
            *(
                "--port",
                "0",
                "--unixsocket",
                path,
                "--save",
                "",
                "--dir",
                str(self.folder),
            ),
            *options,
        )
        wait_until(lambda: connects(path), "redis answers")
        return server

    def kill_all(self) -> None:
        for process in self.all:
            process.kill()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except (urllib.error.URLError, OSError):
        return False


def accepts(port: int) -> bool:
    """Return whether somebody accepts connections to *port* of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def connects(path: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            return True
    except OSError:
        return False

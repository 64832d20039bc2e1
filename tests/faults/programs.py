"""What a desk consists of: the processes of our Procfile, some of them twice."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa
from honcho.environ import parse_procfile

from embedded import environment as variables
from embedded import logins
from embedded.child import Program
from embedded.folders import ROOT, Folders
from tests.faults.clock import Clocks

WORKERS = {"worker-1": 2, "worker-2": 1}
"""Each with so many children."""
RELAYS = ("relay-1", "relay-2")
BEAT, SECOND_BEAT = "beat-1", "beat-2"
OF_SHOP = ("web", *WORKERS, *RELAYS, BEAT)
PROXY = "proxy"

TUNING = {
    # Few, so that they can be exhausted.
    "max_connections": "70",
    "shared_buffers": "64MB",
}


class Programs:
    """The programs of one desk, in whose *folders* its servers keep their data."""

    def __init__(self, folders: Folders, clocks: Clocks) -> None:
        self.folders = folders
        self.clocks = clocks
        self.environment: dict[str, str] = {}
        self.commands = parse_procfile((ROOT / "Procfile").read_text()).processes

    @property
    def socket(self) -> Path:
        """Where the shop finds PostgreSQL: the proxy's, named as libpq wants it."""
        return self.folders.sockets / "proxy" / ".s.PGSQL.5432"

    @property
    def control(self) -> Path:
        return self.folders.sockets / "control"

    def proxy(self) -> Program:
        self.socket.parent.mkdir(mode=0o700, exist_ok=True)
        server = self.folders.sockets / ".s.PGSQL.5432"
        paths = map(os.fspath, (self.socket, server, self.control))
        return self.program(PROXY, [sys.executable, "-m", "tests.faults.proxy", *paths])

    def of_shop(self, name: str) -> Program:
        """Return a process of the shop, named as in the Procfile up to its number."""
        kind = name.partition("-")[0]
        command = self.commands[kind]
        if name in WORKERS:
            # The later option holds.
            command += f" --concurrency {WORKERS[name]} --hostname {name}@%h"
        if name == SECOND_BEAT:
            command += f" --schedule {shlex.quote(f'{self.folders.state}/{name}')}"
        environment = logins.for_process(kind, self.environment)
        through = {
            variable: self.through_proxy(value)
            for variable, value in environment.items()
            if variable.endswith("DATABASE_URL")
        }
        return replace(
            self.program(name, ["sh", "-c", command]),
            environment=environment | through | self.clocks.variables(name),
        )

    def program(self, name: str, command: list[str]) -> Program:
        return Program(
            name=name,
            command=command,
            environment=self.environment,
            folder=ROOT,
            log=self.folders.logs / f"{name}.log",
        )

    def through_proxy(self, url: str) -> str:
        host = os.fspath(self.socket.parent)
        parts = sa.make_url(url).update_query_dict({"host": host})
        return parts.render_as_string(hide_password=False)


def environment_of(
    given: Mapping[str, str], folders: Folders, port: int, extra: Mapping[str, str]
) -> dict[str, str]:
    """Return what all processes are told, but for where the servers are."""
    # The servers of a running `up`, or of the suite, are none of ours.
    own = {key: given[key] for key in given if not key.endswith(("_URL", "PORT"))}
    # What waits for a month would never be done.
    told = {**own, "PORT": str(port), "UNPAID_DAYS": "never", **extra}
    return variables.for_children(variables.without_postgres_defaults(told), folders)

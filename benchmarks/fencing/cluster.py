"""A PostgreSQL of one's own, that may be crashed, and copied by a dump."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from embedded import postgres
from embedded.child import spawn
from embedded.environment import for_servers, variables_given
from embedded.folders import Folders
from embedded.postgres_home import find_home
from eventstore.database.installation import install

TUNING = {
    # A crash of the server loses what it had not handed to the system, and no more:
    # it is the machine that may burn with fsync off, and ours does not.
    "fsync": "off",
    "max_connections": "100",
    "max_prepared_transactions": "64",
    "idle_in_transaction_session_timeout": "500ms",
    "autovacuum": "off",
}
STARTING = 60.0


class Cluster:
    """One server and its data; `destroy` leaves nothing of it."""

    def __init__(self, folder: Path, tuning: Mapping[str, str] | None = None) -> None:
        self.folders = Folders(folder.resolve())
        self.folders.make()
        self.tuning = {**TUNING, **(tuning or {})}
        self.home = find_home(self.folders, variables_given())
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return postgres.database_url(self.folders)

    def start(self) -> None:
        program = postgres.postgres(
            self.home, self.folders, variables_given(), self.tuning
        )
        program.before_start()
        self.process = spawn(program)
        until = time.monotonic() + STARTING
        while not postgres.is_ready(self.folders):
            if time.monotonic() > until or self.process.poll() is not None:
                raise RuntimeError(f"no PostgreSQL: see {self.folders.logs}")
            time.sleep(0.02)

    def crash(self) -> None:
        """Stop it at once, as `pg_ctl stop -m immediate` does: nothing is flushed."""
        self.end(signal.SIGQUIT)

    def end(self, how: signal.Signals = signal.SIGINT) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(STARTING)
            self.process = None

    def destroy(self) -> None:
        self.end(signal.SIGQUIT)
        self.folders.forget_sockets()
        for folder in (self.home.data, self.folders.state, self.folders.elsewhere):
            shutil.rmtree(folder, ignore_errors=True)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        return psycopg.connect(self.url, autocommit=autocommit)

    def install(self) -> None:
        """Make the engine's tables and functions, as those do who lift it out."""
        engine = sa.create_engine(
            sa.make_url(self.url).set(drivername="postgresql+psycopg")
        )
        with engine.begin() as connection:
            # Its statements may be apart by more than a writer may rest.
            connection.exec_driver_sql(
                "SET LOCAL idle_in_transaction_session_timeout = '1min'"
            )
            install(connection)
        engine.dispose()

    def restore_from(self, other: "Cluster", dump: Path) -> None:
        """Fill this empty server with a dump of *other*, which still runs."""
        self.run("pg_dump", "--format=custom", "--compress=0", f"--file={dump}", other)
        self.run("pg_restore", "--exit-on-error", f"--dbname={self.url}", dump)

    def run(self, program: str, *arguments: "str | Path | Cluster") -> None:
        words = [
            each.url if isinstance(each, Cluster) else os.fspath(each)
            for each in arguments
        ]
        done = subprocess.run(
            [os.fspath(self.home.binaries / program), *words],
            env=for_servers(variables_given()),
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr[-2000:]}")


@contextmanager
def running(tuning: Mapping[str, str]) -> Iterator[Cluster]:
    """Lend a server of one's own with these settings; nothing is left of it."""
    with tempfile.TemporaryDirectory(prefix="recount-bench-") as folder:
        cluster = Cluster(Path(folder), tuning)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.destroy()

"""PostgreSQL for tests: a second server, and a standby of the tests' own server."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
import sqlalchemy as sa

from embedded import postgres, processes
from embedded.child import Program
from embedded.environment import for_servers
from embedded.folders import Folders
from embedded.logs import last_lines
from embedded.postgres import FOR_TESTS
from embedded.postgres_home import PostgresHome, find_home
from embedded.processes import Process
from tests.stores.servers.server import PATIENCE, PAUSE, Server, ServerFailed


class PostgresServer(Server):
    """A PostgreSQL of its own, with one empty database; heard on a socket alone."""

    stop_signal = signal.SIGINT

    def __init__(self, folder: Path) -> None:
        self.folders = Folders(folder)
        self.folders.make()
        self.home: PostgresHome = find_home(self.folders, os.environ)
        super().__init__(self.home.data)

    @property
    def url(self) -> str:
        return postgres.database_url(self.folders)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        return postgres.url_of(self.folders, database)

    def program(self) -> Program:
        return postgres.postgres(self.home, self.folders, os.environ, FOR_TESTS)

    def answers(self) -> bool:
        return postgres.is_ready(self.folders)

    def members(self) -> set[Process]:
        # Its children have sessions of their own, and work in the data folder.
        found = processes.working_in(self.folder)
        return found | super().members()

    def close(self) -> None:
        super().close()
        self.folders.forget_sockets()
        shutil.rmtree(self.folders.elsewhere, ignore_errors=True)


class ReplicaServer(PostgresServer):
    """
    A hot standby of the server at *primary*: it has all of its databases, read only.

    *primary* is the URL of any database there, of a user who may replicate. A slot
    keeps what the standby has not yet got; `close` drops it.
    """

    def __init__(self, folder: Path, primary: str) -> None:
        super().__init__(folder)
        self.primary = sa.make_url(primary)
        self.slot = f"replica_{uuid4().hex[:12]}"

    @property
    def can_reach(self) -> bool:
        """Return whether it may use the socket of the primary: two nobodies may not."""
        return self.home.identity.user is None

    def url_for(self, database_url: str) -> str:
        """Return the address at which this standby has a database of the primary."""
        return self.url_of(sa.make_url(database_url).database or "")

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def program(self) -> Program:
        if not (self.folder / "PG_VERSION").exists():
            self.copy_primary()
        program = super().program()
        standby = ["-c", "hot_standby=on", "-c", "hot_standby_feedback=on"]
        return replace(program, command=[*program.command, *standby])

    def answers(self) -> bool:
        try:
            with psycopg.connect(self.url) as connection:
                row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        except psycopg.OperationalError:
            return False
        return row == (True,)

    def copy_primary(self) -> None:
        """Copy the primary by pg_basebackup, which also makes the slot."""
        self.drop_slot()
        partial = self.folder.with_name("replica.new")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        self.home.give(partial)
        done = subprocess.run(
            [
                *self.home.identity.prefix,
                os.fspath(self.home.binaries / "pg_basebackup"),
                *("--dbname", self.connection_string()),
                *("--pgdata", os.fspath(partial), "--write-recovery-conf"),
                *("--wal-method", "stream", "--checkpoint", "fast"),
                *("--create-slot", "--slot", self.slot),
            ],
            cwd="/",
            env=for_servers(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.home.identity.credentials,
        )
        if done.returncode:
            raise ServerFailed(f"pg_basebackup failed:\n{done.stdout}")
        partial.rename(self.folder)

    def connection_string(self) -> str:
        url = self.primary.set(drivername="postgresql")
        return url.render_as_string(hide_password=False)

    def catch_up(self) -> None:
        """Return when the standby has all that the primary has now."""
        with psycopg.connect(self.connection_string()) as primary:
            row = primary.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
        assert row is not None
        end = time.monotonic() + PATIENCE
        with psycopg.connect(self.url, autocommit=True) as standby:
            there = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
            while standby.execute(there, row).fetchone() != (True,):
                if time.monotonic() > end:
                    shown = "\n".join(last_lines(self.folders.logs / "postgres.log", 9))
                    raise ServerFailed(f"the standby does not follow:\n{shown}")
                time.sleep(PAUSE)

    def close(self) -> None:
        super().close()
        with suppress(psycopg.OperationalError):  # the primary may be gone already
            self.drop_slot()

    def drop_slot(self) -> None:
        """Drop the slot, so that the primary keeps nothing for us any more."""
        slots = "FROM pg_replication_slots WHERE slot_name = %s"
        end_sender = f"SELECT pg_terminate_backend(active_pid) {slots} AND active"
        drop = f"SELECT pg_drop_replication_slot(slot_name) {slots} AND NOT active"
        with psycopg.connect(self.connection_string(), autocommit=True) as primary:
            # Its sender may need a moment to see that we have gone.
            while primary.execute(f"SELECT 1 {slots}", [self.slot]).fetchone():
                primary.execute(end_sender, [self.slot])
                primary.execute(drop, [self.slot])
                time.sleep(PAUSE)

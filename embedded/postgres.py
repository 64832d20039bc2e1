"""Our own PostgreSQL: made in the data folder, heard on a Unix socket alone."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psycopg

from embedded import processes
from embedded.child import Program
from embedded.environment import for_servers
from embedded.errors import CannotStart
from embedded.folders import Folders
from embedded.leftovers import end_all
from embedded.logs import last_lines, open_log
from embedded.postgres_home import PostgresHome
from eventstore.session_errors import UnfitSession
from tasks.shop.connections import connect

OWNER = DATABASE = "recount"

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_prepared_transactions": "0",
    "idle_in_transaction_session_timeout": "5min",
    "log_line_prefix": "%m [%p] ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}

FOR_TESTS = {"max_connections": "300", "max_prepared_transactions": "20"}


def postgres(
    home: PostgresHome,
    folders: Folders,
    environment: Mapping[str, str],
    tuning: Mapping[str, str],
) -> Program:
    """Return the server as a program to keep alive, its cluster made if need be."""
    log = folders.logs / "postgres.log"
    clean = for_servers(environment)
    clear_leftovers(home.data)
    if not (home.data / "PG_VERSION").exists():
        make_cluster(home, clean, log)
    settings = {
        **SETTINGS,
        **tuning,
        "unix_socket_directories": os.fspath(folders.sockets),
    }
    options = [part for name in settings for part in ("-c", f"{name}={settings[name]}")]
    return Program(
        name="postgres",
        command=[
            os.fspath(home.binaries / "postgres"),
            *("-D", os.fspath(home.data)),
            *options,
        ],
        environment=clean,
        folder=Path("/"),
        log=log,
        identity=home.identity,
        stop_signal=signal.SIGINT,  # PostgreSQL's fast shutdown
        hurried_grace=10,
        before_start=partial(prepare, home, folders),
        needs=folders.sockets / ".s.PGSQL.5432",
    )


def prepare(home: PostgresHome, folders: Folders) -> None:
    """Remove files of a killed server that would keep a new one from starting."""
    clear_leftovers(home.data)
    folders.ensure_sockets()
    home.open_sockets(folders)


def database_url(folders: Folders) -> str:
    return url_of(folders, DATABASE)


def url_of(folders: Folders, database: str) -> str:
    host = quote(os.fspath(folders.sockets), safe="/")
    return f"postgresql://{OWNER}@/{database}?host={host}"


def is_ready(folders: Folders) -> bool:
    """Return whether the server answers, and see to it that it has our database."""
    try:
        with connect(url_of(folders, "postgres")) as connection:
            ensure_database(connection)
    except UnfitSession:
        # It answers; its clients will get the error.
        return True
    except psycopg.OperationalError:
        return False
    return True


def ensure_database(connection: psycopg.Connection) -> None:
    exists = "SELECT 1 FROM pg_database WHERE datname = %s"
    if connection.execute(exists, [DATABASE]).fetchone() is None:
        connection.execute(f"CREATE DATABASE {DATABASE}")


def make_cluster(home: PostgresHome, environment: Mapping[str, str], log: Path) -> None:
    """
    Make the cluster under another name first, so that an incomplete one is dropped.

    Every client of the socket is trusted, and only its owner can reach it.
    """
    partial = home.data.with_name("postgres.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    home.give(partial)
    command = [*home.identity.prefix, os.fspath(home.binaries / "initdb")]
    command += ["--pgdata", os.fspath(partial), "--username", OWNER, "--auth=trust"]
    command += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    with open_log(log) as output:
        done = subprocess.run(
            command,
            cwd="/",
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # The terminal's Ctrl-C is for us; initdb is short, and repaired if cut off.
            start_new_session=True,
            **home.identity.credentials,
        )
    if done.returncode != 0:
        shown = "\n".join(f"  {line}" for line in last_lines(log, 15))
        raise CannotStart(f"initdb failed; the end of {log}:\n{shown}")
    partial.rename(home.data)


def clear_leftovers(data: Path) -> None:
    """
    Wait for, or stop, processes of a dead server that still use *data*.

    The children of a killed postmaster end by themselves a little later; the next
    server must not start before that. Then its pid file is dropped: PostgreSQL would
    believe it if another process has that pid now.
    """
    end_all(lambda: processes.working_in(data), politely=signal.SIGINT)
    with suppress(FileNotFoundError):
        (data / "postmaster.pid").unlink()

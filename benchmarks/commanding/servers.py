"""A PostgreSQL and a Redis that nothing else uses, set as the shop's."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import redis

from benchmarks.fencing.cluster import Cluster
from embedded import environment, logins, migration
from embedded import redis as own_redis
from embedded.child import spawn
from embedded.postgres import DATABASE

TUNING = {
    # As the shop has it: a commit is on the disk before it is answered.
    "fsync": "on",
    "autovacuum": "on",
    "max_connections": "200",
    "max_prepared_transactions": "0",
    "idle_in_transaction_session_timeout": "5min",
    # A checkpoint in the middle would slow down the contender that is measured then.
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
}
TEMPLATE = "migrated"


class Servers:
    """Both servers, and the migrated database that each desk has a copy of."""

    def __init__(self, folder: Path) -> None:
        self.cluster = Cluster(folder, TUNING)
        self.folders = self.cluster.folders
        self.redis: subprocess.Popen[bytes] | None = None
        self.numbers = iter(range(16))
        self.environment = environment.for_children(
            {
                **environment.without_postgres_defaults(os.environ),
                # Of this run alone, whatever the caller's shop has.
                "SECRET_KEY": secrets.token_urlsafe(48),
                "CURRENCY": "EUR",
                "UNPAID_DAYS": "never",
                "LOG_LEVEL": "INFO",
            },
            self.folders,
        )

    def start(self) -> None:
        self.cluster.start()
        self.start_redis()
        logins.ensure_logins(self.folders)
        own = {**self.environment, **self.addresses(DATABASE, 0)}
        if spawn(migration.alembic(self.folders, own)).wait():
            raise RuntimeError(f"not migrated: see {self.folders.logs}")
        self.run_on_postgres(f"ALTER DATABASE {DATABASE} RENAME TO {TEMPLATE}")
        self.run_on_postgres(f"CREATE DATABASE {DATABASE}")

    def run_on_postgres(self, statement: str) -> None:
        """Run a statement that needs our databases without connections."""
        url = self.cluster.url.replace(f"/{DATABASE}?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def start_redis(self) -> None:
        self.redis = spawn(own_redis.redis(self.folders, environment.variables_given()))
        wait_until(lambda: own_redis.is_ready(self.folders), "an answer of Redis")

    @contextmanager
    def redis_is(self, state: str) -> Iterator[None]:
        """Have Redis be well, frozen or gone for that long."""
        assert self.redis is not None
        if state == "frozen":
            self.redis.send_signal(signal.SIGSTOP)
        elif state == "gone":
            self.redis.kill()
            self.redis.wait()
        yield
        if state == "frozen":
            self.redis.send_signal(signal.SIGCONT)
        elif state == "gone":
            self.start_redis()

    def addresses(self, database: str, number: int) -> dict[str, str]:
        """Return the variables that name a database and a broker to the shop."""
        urls = {"DATABASE_URL": self.cluster.url, **logins.variables(self.folders)}
        return {
            **{n: u.replace(f"/{DATABASE}?", f"/{database}?") for n, u in urls.items()},
            "REDIS_URL": f"{own_redis.redis_url(self.folders)}?virtual_host={number}",
        }

    def copy(self) -> tuple[dict[str, str], int]:
        """Make a database and take a number of Redis's; return their environment."""
        number = next(self.numbers)
        name = f"desk_{number}"
        self.run_on_postgres(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return {**self.environment, **self.addresses(name, number)}, number

    def broker(self, number: int = 0) -> redis.Redis:
        path = os.fspath(own_redis.socket_of(self.folders))
        return redis.Redis(unix_socket_path=path, db=number, socket_timeout=30)

    def destroy(self) -> None:
        if self.redis is not None:
            self.redis.kill()
            self.redis.wait()
        self.cluster.destroy()


@contextmanager
def servers(folder: Path) -> Iterator[Servers]:
    own = Servers(folder)
    try:
        own.start()
        yield own
    finally:
        own.destroy()


def wait_until(
    condition: Callable[[], object], what: str, seconds: float = 60, every: float = 0.01
) -> None:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise RuntimeError(f"not within {seconds:g} s: {what}")
        time.sleep(every)

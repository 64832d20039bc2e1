"""The order desk as real processes, with the rights of their roles, to be broken."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from subprocess import run

import redis
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry

from embedded import environment as variables
from embedded import logins, migration, postgres
from embedded.folders import Folders
from embedded.port import HOST, claim_port
from embedded.postgres_home import find_home
from embedded.processes import Process, working_in
from embedded.redis import socket_of
from embedded.servers import start_servers
from eventstore.connection import driver_connection
from tasks.broker.queues import queue_name
from tasks.shop.identity import identity_of
from tasks.shop.local_access import authorization
from tasks.shop.setting_values import database_url
from tests.faults.arming import Proxy
from tests.faults.clock import Clocks
from tests.faults.disk import SmallDisk
from tests.faults.keeper import Keeper
from tests.faults.programs import OF_SHOP, SECOND_BEAT, TUNING, Programs, environment_of
from tests.support.processes import answers
from tests.support.waiting import wait_until

UNDER_WAY = """
    SELECT count(*) FROM public.commands
    WHERE status = 'accepted'
        AND (not_before IS NULL OR turn IS NOT NULL OR not_before <= clock_timestamp())
"""
ALIVE = """
    SELECT process FROM public.heartbeats
    WHERE beat_at BETWEEN clock_timestamp() - interval '2 seconds' AND clock_timestamp()
        -- A worker of which no process moves is well, and does nothing.
        AND (serves_commands OR role <> 'worker')
"""
ENDED = "who was asked to end has ended"
REDIS_PASSWORD = "not-the-one-you-know"
"""The one that a fault sets, which nobody in the shop knows."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process that runs now; those that it started have its name."""

    name: str
    pid: int


def waiting_for_messages(broker: redis.Redis) -> int:
    """Return how many clients of the broker wait for a message."""
    # `cmd` is the last command, however long ago: one that waits is blocked in it.
    return sum(
        one["cmd"] == "brpop" and "b" in one["flags"] for one in broker.client_list()
    )


class Desk:
    """An order desk at work: each process is started again at once when it dies."""

    def __init__(
        self, folder: Path, *, seed: int, disk_megabytes: int | None = None
    ) -> None:
        self.folder = folder
        self.seed = seed
        self.folders = Folders((folder / "desk").resolve())
        self.folders.make()
        self.clocks = Clocks(self.folders.state / "clocks")
        self.programs = Programs(self.folders, self.clocks)
        self.keeper = Keeper(self.folders.logs / "keeper.log")
        self.proxy = Proxy(self.programs.control)
        self.disk = SmallDisk(self.folders.postgres, disk_megabytes)
        self.port = claim_port({})
        self.address = f"http://{HOST}:{self.port.number}"
        self.identity = ""
        self._engine: sa.Engine | None = None
        self._under_way = 0

    @property
    def authorization(self) -> str:
        """What the desk's own programs send."""
        return authorization(self.programs.environment["SECRET_KEY"])

    def engine(self) -> sa.Engine:
        """Return the owner's way to the tables, in autocommit and past the proxy."""
        if self._engine is None:
            self._engine = sa.create_engine(
                database_url(postgres.database_url(self.folders)),
                isolation_level="AUTOCOMMIT",
                pool_pre_ping=True,
            )
        return self._engine

    def clock_ahead(self) -> float:
        """Return how many seconds PostgreSQL's clock is ahead of ours."""
        with self.engine().connect() as connection:
            there = connection.scalar(sa.text("SELECT clock_timestamp()"))
        assert there is not None
        return float((there - datetime.now(UTC)).total_seconds())

    def queue(self, name: str) -> str:
        """Return what a queue of the shop is called at its broker."""
        return queue_name(name, self.identity)

    def under_way(self) -> int:
        """
        Return how many commands are accepted, due, and not final.

        While the database is away it is the number that was known last.
        """
        with suppress(sa.exc.OperationalError), self.engine().connect() as connection:
            self._under_way = int(connection.scalar(sa.text(UNDER_WAY)) or 0)
        return self._under_way

    def processes(self) -> list[Running]:
        """Return all that runs now, the servers and the proxy among them."""
        return [
            Running(name, process.pid)
            for name in self.keeper.named("")
            for process in [*self.keeper.all_of(name), *self.backends(name)]
        ]

    def backends(self, name: str) -> list[Process]:
        """Return the processes of PostgreSQL, each in a session of its own."""
        if name != "postgres":
            return []
        server = self.keeper.leader(name)
        data = working_in(self.folders.postgres)
        return [process for process in data if process != server]

    @property
    def restarts(self) -> int:
        """How often a process was started again."""
        return self.keeper.restarts

    @contextmanager
    def broker(self) -> Iterator[redis.Redis]:
        """Lend a connection to Redis once it answers, whatever its password is."""
        found: list[redis.Redis | None] = []

        def is_found() -> bool:
            found[:] = [self.connected()]
            return found != [None]

        wait_until(is_found, "Redis answers")
        (client,) = found
        assert client is not None
        with client:
            yield client

    def connected(self) -> redis.Redis | None:
        """Return a connection to Redis, if it can be had now."""
        for password in (None, REDIS_PASSWORD):
            client = redis.Redis(
                unix_socket_path=str(socket_of(self.folders)),
                password=password,
                socket_timeout=5,
                retry=Retry(NoBackoff(), 0),
            )
            try:
                client.ping()
            except redis.ConnectionError:
                # Among these errors is that of a wrong password.
                client.close()
                continue
            return client
        return None

    def restore(self) -> None:
        """
        Mend whatever a fault left, and wait until everything runs and is well.

        That is: both servers and the web answer, and each process of the shop has told
        PostgreSQL in the last seconds that it lives.
        """
        self.keeper.check()
        if SECOND_BEAT in self.keeper.named("beat"):
            self.keeper.remove(SECOND_BEAT)
        self.disk.empty()
        self.clocks.set_right()
        for name in self.keeper.named(""):
            self.keeper.let_go(name)
            self.keeper.thaw(name)
        wait_until(self.proxy.answers, "the proxy answers")
        self.proxy.disarm_all()
        try:
            wait_until(lambda: not self.ending(), ENDED, seconds=20)
        except AssertionError:
            self.keeper.ask_again()
            wait_until(lambda: not self.ending(), ENDED)
        wait_until(lambda: postgres.is_ready(self.folders), "PostgreSQL answers")
        self.mend_settings()
        self.mend_redis()
        wait_until(lambda: answers(f"{self.address}/healthz"), "the web answers")
        wait_until(lambda: not self.missing(), "all processes live")

    def ending(self) -> Sequence[str]:
        return [n for n in self.keeper.named("") if self.keeper.is_ending(n)]

    def mend_settings(self) -> None:
        """Take back what was set for the logins of the shop; not while it is away."""
        with suppress(sa.exc.OperationalError), self.engine().connect() as connection:
            for role in ("web", "worker", "relay"):
                connection.exec_driver_sql(
                    f"ALTER ROLE {logins.login_of(role)}"
                    f" IN DATABASE {postgres.DATABASE} RESET ALL"
                )

    def mend_redis(self) -> None:
        with self.broker() as broker:
            broker.config_set("maxmemory", "0")
            broker.config_set("requirepass", "")

    def deaf(self) -> int:
        """Return how many workers, which have no work, do not wait for a message."""
        with self.broker() as broker:
            waiting = waiting_for_messages(broker)
        return max(0, sum(name.startswith("worker") for name in OF_SHOP) - waiting)

    def missing(self) -> Sequence[str]:
        """Return those of the shop that have not told in time that they live."""
        try:
            with self.engine().connect() as connection:
                alive = connection.scalars(sa.text(ALIVE))
                pids = {int(process.rpartition(":")[2]) for process in alive}
        except sa.exc.OperationalError:
            return OF_SHOP
        return [
            name
            for name in OF_SHOP
            if not pids & {process.pid for process in self.keeper.all_of(name)}
        ]

    def start(self, extra: Mapping[str, str]) -> None:
        """Start it as `up` does: servers, logins, migration, then the shop."""
        given, port = variables.variables_given(), self.port.number
        environment = environment_of(given, self.folders, port, extra)
        if self.disk.megabytes is not None:
            self.move_to_small_disk(environment)
        supervisor = self.keeper.supervisor
        environment = self.keeper.do(
            lambda: start_servers(supervisor, self.folders, environment, TUNING)
        )
        self.give_clock("postgres")
        logins.ensure_logins(self.folders)
        self.programs.environment = environment | logins.variables(self.folders)
        alembic = migration.alembic(self.folders, self.programs.environment)
        with alembic.log.open("ab") as log:
            run(
                alembic.command,
                cwd=alembic.folder,
                env=alembic.environment,
                stdout=log,
                stderr=log,
                check=True,
            )
        with self.engine().connect() as connection:
            self.identity = identity_of(driver_connection(connection))
        self.keeper.start([self.programs.proxy()])
        wait_until(self.proxy.answers, "the proxy answers")
        self.keeper.start(self.programs.of_shop(name) for name in OF_SHOP)
        self.restore()

    def give_clock(self, name: str) -> None:
        """Let a server have a clock of its own, when it is started the next time."""
        child = self.keeper.child(name)
        own = self.clocks.variables(name)
        environment = {**child.program.environment, **own}
        child.program = replace(child.program, environment=environment)

    def move_to_small_disk(self, environment: Mapping[str, str]) -> None:
        home = find_home(self.folders, environment)
        log = self.folders.logs / "postgres.log"
        postgres.make_cluster(home, variables.for_servers(environment), log)
        self.disk.mount()
        home.give(self.folders.postgres)
        self.folders.postgres.chmod(0o700)

    def close(self) -> None:
        """End everything, and leave nothing but the logs."""
        if self._engine is not None:
            self._engine.dispose()
        self.keeper.close()
        self.port.release()
        self.disk.unmount()
        self.folders.forget_sockets()
        for data in (self.folders.postgres, self.folders.redis, self.folders.elsewhere):
            shutil.rmtree(data, ignore_errors=True)


@contextmanager
def open_desk(
    folder: Path, *, seed: int = 0, disk_megabytes: int | None = None, **extra: str
) -> Iterator[Desk]:
    """
    Lend a desk with servers of its own, all of whose data lie in *folder*.

    With *disk_megabytes* PostgreSQL's data lie on a small file system, where one can be
    mounted, that can be filled. *extra* are variables for all of its processes.
    """
    desk = Desk(folder, seed=seed, disk_megabytes=disk_megabytes)
    try:
        desk.start(extra)
        yield desk
    finally:
        desk.close()

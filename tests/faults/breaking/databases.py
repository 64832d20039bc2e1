"""PostgreSQL crashes, is away, lets sessions fall, has no room, or a full disk."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from random import Random

import psycopg
import sqlalchemy as sa

from embedded import logins
from tests.faults.desk import Desk
from tests.faults.kind import BLOW, MISSED, Kind, Seconds, Strike

AWAY: Seconds = (0.5, 3.0)
ROLES = ("web", "worker", "relay")

SESSIONS = """
    SELECT pid FROM pg_stat_activity
    WHERE usename ~ :logins AND backend_type = 'client backend'
"""
END_SESSIONS = f"SELECT count(pg_terminate_backend(pid)) FROM ({SESSIONS}) AS s"


def ending(number: signal.Signals) -> Strike:
    """End the server by a signal; it is started again at once."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        desk.keeper.send("postgres", number)
        yield f"PostgreSQL gets {number.name}"

    return strike


@contextmanager
def be_away(desk: Desk, chance: Random) -> Iterator[str]:
    desk.keeper.hold("postgres")
    desk.keeper.send("postgres", signal.SIGQUIT)
    try:
        yield "PostgreSQL is away"
    finally:
        desk.keeper.let_go("postgres")


@contextmanager
def kill_backend(desk: Desk, chance: Random) -> Iterator[str]:
    """Kill one backend with -9: the server ends all of them, and recovers."""
    with desk.engine().connect() as connection:
        found = connection.scalars(sa.text(SESSIONS), {"logins": "worker|relay"})
        pids = sorted(found)
    if not pids:
        yield f"{MISSED}: nobody is connected"
        return
    victim = chance.choice(pids)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    yield f"-9 backend {victim}"


def terminating(*roles: str) -> Strike:
    """End the sessions of one of *roles*, or of all, as an administrator does."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        pattern = f"recount_({chance.choice(roles)})_login"
        with desk.engine().connect() as connection:
            ended = connection.scalar(sa.text(END_SESSIONS), {"logins": pattern})
        yield f"{ended} sessions of {pattern}" if ended else f"{MISSED}: no session"

    return strike


@contextmanager
def exhaust(desk: Desk, chance: Random) -> Iterator[str]:
    """Take every connection that is free; who wants a new one is refused."""
    url = logins.variables(desk.folders)["READER_DATABASE_URL"]
    with ExitStack() as held:
        count = 0
        with suppress(psycopg.OperationalError):
            while True:
                held.enter_context(closing(psycopg.connect(url)))
                count += 1
        # Who has no connection now will get none either.
        with desk.engine().connect() as connection:
            ended = connection.scalar(
                sa.text(END_SESSIONS), {"logins": chance.choice(ROLES)}
            )
        with suppress(psycopg.OperationalError):
            while True:
                held.enter_context(closing(psycopg.connect(url)))
                count += 1
        yield f"{count} connections taken, {ended} of them from the shop"


@contextmanager
def fill_disk(desk: Desk, chance: Random) -> Iterator[str]:
    size = desk.disk.fill()
    try:
        yield f"{size >> 20} MiB of ballast"
    finally:
        desk.disk.empty()


def small_disk(desk: Desk) -> str:
    return desk.disk.why_not


KINDS = (
    Kind("crash PostgreSQL", BLOW, ending(signal.SIGQUIT)),
    Kind("restart PostgreSQL", BLOW, ending(signal.SIGINT)),
    Kind("no PostgreSQL", AWAY, be_away),
    Kind("kill a backend", BLOW, kill_backend),
    Kind("end all sessions", BLOW, terminating("web|worker|relay")),
    Kind("end sessions of a role", BLOW, terminating(*ROLES)),
    Kind("exhaust connections", AWAY, exhaust),
    Kind("fill the disk", AWAY, fill_disk, needs=small_disk),
)

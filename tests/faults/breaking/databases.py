"""PostgreSQL crashes, is away, lets sessions fall, has no room, or a full disk."""

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from random import Random

import psycopg
import sqlalchemy as sa

from embedded import logins
from tests.faults.breaking.victims import blow, every, spell, wait_a_little
from tests.faults.desk import Desk
from tests.faults.keeper import Keeper
from tests.faults.kind import BLOW, MISSED, Kind, Seconds, Strike

SERVER = every("postgres")
AWAY: Seconds = (0.5, 3.0)
ROLES = ("web", "worker", "relay")

SESSIONS = """
    SELECT pid FROM pg_stat_activity
    WHERE usename ~ :logins AND backend_type = 'client backend'
"""
END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM unnest(CAST(:pids AS integer[])) AS pid
"""


def crash(keeper: Keeper, name: str) -> bool:
    """End it at once, as `pg_ctl stop -m immediate` does: it has to recover."""
    return keeper.end(name, signal.SIGQUIT)


def crash_for_long(keeper: Keeper, name: str) -> bool:
    keeper.hold(name)
    return crash(keeper, name)


def restart(keeper: Keeper, name: str) -> bool:
    """End it in order, with all sessions."""
    return keeper.end(name, signal.SIGINT)


@contextmanager
def kill_backend(desk: Desk, chance: Random) -> Iterator[str]:
    """Kill one backend with -9: the server ends all of them, and recovers."""
    pids = sessions_soon(desk, chance.choice(ROLES))
    if not pids:
        yield f"{MISSED}: nobody is connected"
        return
    victim = chance.choice(pids)
    with suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    yield f"-9 backend {victim}"


def ending_sessions(*roles: str) -> Strike:
    """End the sessions of one of *roles*, as an administrator does."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        role = chance.choice(roles)
        ended = end_sessions(desk, sessions_soon(desk, role))
        yield f"{ended} sessions of {role}" if ended else f"{MISSED}: no sessions"

    return strike


@contextmanager
def exhaust(desk: Desk, chance: Random) -> Iterator[str]:
    """Take every connection that is free, and those that some role has."""
    url = logins.variables(desk.folders)["READER_DATABASE_URL"]
    with ExitStack() as held:
        free = take_all(held, url)
        # Whose sessions are ended will not get others.
        role = chance.choice(ROLES)
        end_sessions(desk, sessions_of(desk, role))
        taken = take_all(held, url)
        yield f"{free} connections, and {taken} of {role}" if free else MISSED


def take_all(held: ExitStack, url: str) -> int:
    """Connect until that is refused; return how often it was not."""
    for count in itertools.count():
        try:
            connection = psycopg.connect(url)
        except psycopg.OperationalError:
            return count
        held.callback(connection.close)
    raise AssertionError


def sessions_of(desk: Desk, roles: str) -> list[int]:
    """Return the backends of some roles; none while the server is away."""
    with suppress(sa.exc.OperationalError), desk.engine().connect() as connection:
        logins_of = f"recount_({roles})_login"
        return sorted(connection.scalars(sa.text(SESSIONS), {"logins": logins_of}))
    return []


def sessions_soon(desk: Desk, roles: str) -> list[int]:
    """Return the backends of some roles, who may have to connect again just now."""
    wait_a_little(lambda: sessions_of(desk, roles))
    return sessions_of(desk, roles)


def end_sessions(desk: Desk, pids: list[int]) -> int:
    with suppress(sa.exc.OperationalError), desk.engine().connect() as connection:
        connection.execute(sa.text(END_SESSIONS), {"pids": pids})
    return len(pids)


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
    Kind("crash PostgreSQL", BLOW, blow(crash, SERVER, "QUIT")),
    Kind("restart PostgreSQL", BLOW, blow(restart, SERVER, "INT")),
    Kind(
        "no PostgreSQL", AWAY, spell(crash_for_long, Keeper.let_go, SERVER, "without")
    ),
    Kind("kill a backend", BLOW, kill_backend),
    Kind("end all sessions", BLOW, ending_sessions("web|worker|relay")),
    Kind("end sessions of a role", BLOW, ending_sessions(*ROLES)),
    Kind("exhaust connections", AWAY, exhaust),
    Kind("fill the disk", AWAY, fill_disk, needs=small_disk),
)

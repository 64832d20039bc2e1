"""What each process of the desk holds: memory, open files, connections, locks."""

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from tests.faults.desk import Desk

CONNECTIONS = """
SELECT usename || ' in PostgreSQL', count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
GROUP BY usename
"""
LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"


class Held(NamedTuple):
    """What processes of one name hold together."""

    processes: int
    megabytes: float
    files: int


class Levels(NamedTuple):
    """What was held at one moment, by the name of who holds it."""

    held: dict[str, Held]
    connections: dict[str, int]
    locks: int


def levels(desk: Desk) -> Levels:
    """Return what is held now."""
    pids = defaultdict(list)
    for process in desk.processes():
        pids[process.name].append(process.pid)
    held = {name: held_by(of_name) for name, of_name in pids.items()}
    engine = desk.engine()
    with engine.connect() as connection:
        connections = {
            str(role): int(count)
            for role, count in connection.execute(sa.text(CONNECTIONS))
        }
        locks = int(connection.scalar(sa.text(LOCKS)) or 0)
    return Levels(held, connections, locks)


def held_by(pids: list[int]) -> Held:
    megabytes, files, processes = 0.0, 0, 0
    for pid in pids:
        # Who ends meanwhile holds nothing.
        with suppress(OSError):
            megabytes += share_of_memory(pid)
            files += len(os.listdir(f"/proc/{pid}/fd"))
            processes += 1
    return Held(processes, megabytes, files)


def share_of_memory(pid: int) -> float:
    """Return its megabytes; of a page that several have, each has a part."""
    told = Path(f"/proc/{pid}/smaps_rollup").read_text()
    (kilobytes,) = (line.split()[1] for line in told.splitlines() if "Pss:" in line[:4])
    return int(kilobytes) / 1024


def table(before: Levels, after: Levels) -> Iterator[str]:
    """Yield a line for each holder: at the start, and at the end."""
    yield f"{'':24} {'MB':>7} {'':>7} {'files':>6} {'':>6}"
    for name, end in after.held.items():
        start = before.held.get(name, Held(0, 0.0, 0))
        yield (
            f"{name:24} {start.megabytes:7.0f} {end.megabytes:7.0f}"
            f" {start.files:6} {end.files:6}"
        )
    for name in sorted(before.connections | after.connections):
        yield (
            f"{name:24} {before.connections.get(name, 0):7}"
            f" {after.connections.get(name, 0):7} connections"
        )
    yield f"{'advisory locks':24} {before.locks:7} {after.locks:7}"

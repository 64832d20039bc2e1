"""
Processes that live and do nothing: what they held is done by others, within seconds.

A worker's main process, all of its children, one of them that holds a stream, a relay's
child: each is stopped, and nobody is killed. What they do when they go on changes
nothing.
"""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.faulty_shop import AMOUNTS, HOLD, HOLDING_LOCK
from tests.support.processes import Process, Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

FAULTY = "tests.support.faulty_shop"
HOLDING = next(amount for amount, spell in AMOUNTS.items() if spell == HOLD)
PROMISED = 5.0
"""Seconds, on a machine that has time for it."""
MAX_SECONDS = 4 * PROMISED
"""Seconds that it may take beside the other tests; it was 28 to 61."""
SECONDS = """
    SELECT extract(epoch FROM finished_at - accepted_at)::float
    FROM commands WHERE id = ANY (CAST(:ids AS uuid[])) AND status = 'succeeded'
"""
EFFECTS = """
    SELECT count(*), count(DISTINCT metadata ->> 'causation_id'), max(id) FROM events
"""
accounts = (f"N{number}" for number in count())


def children_of(process: Process) -> list[int]:
    assert process.running is not None
    leader = process.running.pid
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text("utf-8")
    return [int(child) for child in children.split()]


def is_stopped(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    return stat.rpartition(")")[2].split()[0] == "T"


@contextmanager
def stopped(*pids: int) -> Iterator[None]:
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: all(map(is_stopped, pids)), "they stand still")
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def opened(address: str) -> str:
    """Open an account, and return its name when it is open."""
    name = next(accounts)
    with client_of(address) as client:
        client.wait_for(client.send("OpenAccount", {"account_id": name}).command_id)
    return name


def deposit(address: str, account: str, amount: int = 7) -> str:
    # A connection for each: the server closes one that rests.
    with client_of(address) as client:
        sent = client.send("Deposit", {"account_id": account, "amount": amount})
    return sent.command_id


def seconds_of(engine: sa.Engine, ids: Sequence[str]) -> float:
    """Wait until all are done; return how many seconds the slowest took."""

    def durations() -> list[float]:
        with engine.connect() as connection:
            return list(connection.scalars(sa.text(SECONDS), {"ids": list(ids)}))

    wait_until(
        lambda: len(durations()) == len(ids), "all are done", seconds=MAX_SECONDS
    )
    return max(durations())


def effects(engine: sa.Engine) -> tuple[int, int, int]:
    """Return how many events there are, of how many commands, and the last position."""
    with engine.connect() as connection:
        events, commands, last = connection.execute(sa.text(EFFECTS)).one()
    return events, commands, last


def test_whoever_stands_still_keeps_nothing_and_changes_nothing(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.redis()
    worker = processes.worker(FAULTY, concurrency=2)
    relay = processes.relay()
    assert worker.running is not None
    took: dict[str, float] = {}
    address = processes.web()
    names = [opened(address) for _ in range(3)]

    with stopped(*children_of(worker)):
        ids = [deposit(address, name) for name in names * 2]
        took["all children"] = seconds_of(engine, ids)
        before = effects(engine)
    seconds_of(engine, [deposit(address, names[0])])
    assert effects(engine)[:2] == (before[0] + 1, before[1] + 1)

    with stopped(worker.running.pid):
        ids = [deposit(address, name) for name in names * 2]
        took["the main process"] = seconds_of(engine, ids)

    with engine.connect() as holding:
        holding.execute(sa.text(f"SELECT pg_advisory_lock({HOLDING_LOCK})"))
        held = deposit(address, names[0], HOLDING)
        wait_until(lambda: runner_of(engine, held), "somebody has it")
        with stopped(runner_of(engine, held)):
            ids = [deposit(address, name) for name in names * 2]
            took["a holder"] = seconds_of(engine, [held, *ids])
            before = effects(engine)
            holding.execute(sa.text(f"SELECT pg_advisory_unlock({HOLDING_LOCK})"))
    # It goes on with what it decided, and finds its session closed.
    wait_until(lambda: "idle-session" in worker.text(), "it was told", seconds=20)
    assert effects(engine) == before

    (child,) = children_of(relay)
    with stopped(child):
        wait_until(lambda: child not in children_of(relay), "it is replaced")

    print(took)
    assert max(took.values()) < MAX_SECONDS


def runner_of(engine: sa.Engine, command_id: str) -> int:
    """Return the process that has begun a command, or 0."""
    query = "SELECT ran_by FROM commands WHERE id = :id AND started_at IS NOT NULL"
    with engine.connect() as connection:
        ran_by = connection.scalar(sa.text(query), {"id": command_id})
    return int(ran_by.rpartition(":")[2]) if ran_by else 0

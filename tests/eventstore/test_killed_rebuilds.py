"""A rebuild that is killed goes on where it was, with one process and with two."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.log.append import append
from eventstore.projections.generations import ensure_generation, live_generations
from eventstore.projections.parking import Parker
from eventstore.projections.project import subscription_of
from eventstore.rebuilding.fillings import find_fillings
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from tests.support.databases import ROOT
from tests.support.engine import Engine, added
from tests.support.totals import totals

pytestmark = pytest.mark.races

EVENTS = 6_000
BATCH = 100
KILLS = (0.2, 0.5, 0.8)
"""How much is done when it is killed."""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """The engine with a read model of many counters, up to date."""
    ensure_generation(engine.pool, totals)
    for start in range(0, EVENTS, 1_000):
        names = [f"counter-{n % 1_700}" for n in range(start, start + 1_000)]
        append(
            engine.connection,
            [(name, added(1)) for name in names],
            expected={
                name: len(range(int(name[8:]), start, 1_700)) for name in set(names)
            },
        )
    catch_up(engine.connection, subscription_of(totals, 1))
    return engine


@contextmanager
def rebuilding(engine: Engine, processes: int) -> Iterator["subprocess.Popen[str]"]:
    url = sa.make_url(engine.url).set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.rebuilder"),
            *(address, str(processes), str(BATCH)),
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        # Its children, too, if one was left: they would be in the way of others.
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def children_of(parent: int) -> list[int]:
    path = f"/proc/{parent}/task/{parent}/children"
    with open(path, encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def events_done(line: str) -> int:
    found = re.match(r"filling (\d+)", line)
    return int(found[1]) if found else 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_rebuild_that_is_killed_three_times_keeps_its_work(
    filled: Engine, processes: int
) -> None:
    before = rows(filled.connection)
    kept: list[tuple[int, int | None]] = []
    for share in KILLS:
        with rebuilding(filled, processes) as process:
            assert process.stdout is not None
            done = 0
            for line in process.stdout:
                if kept and kept[-1][1] is None and line.startswith("filling"):
                    kept[-1] = (kept[-1][0], events_done(line))
                done = max(done, events_done(line))
                if done >= share * EVENTS:
                    break
            # The parent alone: its children are to notice.
            process.kill()
            process.wait()
        kept.append((done, None))
    with rebuilding(filled, processes) as process:
        assert process.stdout is not None
        lines = list(process.stdout)
        assert process.wait() == 0, lines
    # Its children may have filled the rest before they noticed: then nothing is left.
    told = (events_done(line) for line in lines if line.startswith("filling"))
    kept[-1] = (kept[-1][0], next(told, EVENTS))

    for done, again in kept:
        assert again is not None
        assert again >= 0.9 * done
    assert any("said it goes on at position" in line for line in lines)
    assert lines[-1] == "live 2\n"
    assert rows(filled.connection) == before
    assert find_fillings(filled.connection) == []
    assert live_generations(filled.connection)["totals"].number == 2


def test_one_of_its_processes_that_is_killed_loses_nothing_that_was_filled(
    filled: Engine,
) -> None:
    """As the system does that has no memory left."""
    before = rows(filled.connection)
    done = 0
    with rebuilding(filled, 2) as process:
        assert process.stdout is not None
        lines = iter(process.stdout)
        for line in lines:
            done = max(done, events_done(line))
            if done >= EVENTS / 2:
                break
        os.kill(children_of(process.pid)[0], signal.SIGKILL)
        rest = list(lines)
        assert process.wait() == 1
    said: list[str] = []
    goes_on: list[int] = []
    rebuild(
        filled.connection,
        totals,
        processes=2,
        say=said.append,
        show=lambda progress: goes_on.append(progress.done),
    )

    assert "was killed by signal 9. What was filled is kept" in rest[-1]
    assert len(said) == 1
    assert said[0].startswith("it goes on at position")
    assert goes_on[0] >= 0.9 * done
    assert rows(filled.connection) == before


def rows(connection: psycopg.Connection[Any]) -> list[tuple[object, ...]]:
    query = "SELECT counter, total FROM readmodels.totals ORDER BY counter"
    return connection.execute(query).fetchall()


def test_what_a_killed_rebuild_filled_is_found_and_is_nobodys(filled: Engine) -> None:
    with rebuilding(filled, 1) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if events_done(line) >= EVENTS / 2:
                break
    [found] = find_fillings(filled.connection)

    assert (found.read_model, found.generation, found.live) == ("totals", 2, 1)
    assert found.phase == "filling"


def test_another_number_of_processes_begins_again(filled: Engine) -> None:
    with rebuilding(filled, 2) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if events_done(line) >= EVENTS / 2:
                break
    said: list[str] = []
    rebuild(filled.connection, totals, say=said.append, parker=Parker())

    assert said == [
        "an earlier filling is not gone on with: 2 processes had filled it, and now 1"
        " are to"
    ]

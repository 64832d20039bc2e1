"""The list of orders is rebuilt while commands flow and readers read."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg import sql

from benchmarks.loading.list_readers import Readers
from benchmarks.loading.load import Load
from eventstore.projections.generations import live_generations
from eventstore.projections.project import subscription_of
from eventstore.projections.tables import name_of
from eventstore.subscriptions.catch_up import catch_up
from readmodels.order_list import projection
from tasks.shop.local_access import authorization
from tasks.shop.setting_values import master_keys
from tests.support.databases import MASTER_KEY
from tests.support.processes import Processes
from tests.support.settings import SECRET_KEY
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

RATE = 25.0
READERS = 3
REBUILDS = 2
# A reader must not wait for 100 ms; on a machine with too much to do it may wait for
# its turn of the processor, which is no lock: that would keep all readers waiting.
MAX_SILENCE = 0.5
MAX_WAIT = 3.0
REBUILD = [sys.executable, "-m", "cli", "rebuild", "order_list"]

Note = Callable[[str, object], None]


@pytest.fixture
def address(processes: Processes) -> str:
    """The address of an order desk that runs."""
    processes.redis()
    processes.worker()
    processes.relay()
    return processes.web()


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(url_of(engine), autocommit=True) as connection:
        yield connection


def url_of(engine: sa.Engine) -> str:
    url = engine.url.set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


@contextmanager
def commands_flowing(address: str, url: str) -> Iterator[Load]:
    """Send commands of all kinds until the `with` ends, and wait until all are done."""
    load = Load(address, authorization(SECRET_KEY), url, RATE, seconds=600, clients=4)
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        wait_until(lambda: len(load.answers) > 3 * RATE, "commands flow")
        yield load
    finally:
        load.stopped.set()
        thread.join()


def rebuild(processes: Processes) -> str:
    """Rebuild the list in a process of its own, as an operator does."""
    done = subprocess.run(
        REBUILD,
        cwd=processes.code,
        env=processes.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def live(connection: psycopg.Connection[Any]) -> int:
    return live_generations(connection)[projection.name].number


def rows_of(connection: psycopg.Connection[Any], number: int) -> list[Any]:
    """Return the rows of a generation that is first brought to the log's end."""
    subscription = replace(
        subscription_of(projection, number), masters=master_keys(MASTER_KEY)
    )
    reached = catch_up(connection, subscription)
    assert reached.stopped_at is None
    name = sql.Identifier("readmodels", name_of(projection.name, number))
    query = sql.SQL("SELECT * FROM {} ORDER BY order_id").format(name)
    return connection.execute(query).fetchall()


def checkpoints(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return how far the live generations of all other read models are."""
    rows = connection.execute(
        "SELECT g.read_model, s.checkpoint FROM generations AS g"
        " JOIN subscriptions AS s ON s.name = g.read_model || '_g' || g.live"
        " WHERE g.read_model <> %s",
        (projection.name,),
    )
    return dict(rows.fetchall())


def assert_good(load: Load) -> None:
    assert load.errors == []
    assert load.outcomes == {"succeeded": len(load.answers)}


def test_readers_neither_wait_nor_go_back_while_the_list_is_rebuilt(
    address: str,
    processes: Processes,
    engine: sa.Engine,
    connection: psycopg.Connection[Any],
    record_property: Note,
) -> None:
    with (
        commands_flowing(address, url_of(engine)) as load,
        Readers(url_of(engine), READERS) as readers,
    ):
        wait_until(lambda: readers.looks > 10, "readers read")
        before = readers.longest
        for _ in range(REBUILDS):
            rebuild(processes)
        time.sleep(1)

    figures = {
        "looks at the list": readers.looks,
        "longest wait before the rebuilds, ms": round(before * 1000, 1),
        "longest wait, ms": round(readers.longest * 1000, 1),
        "longest time in which no reader was answered, ms": round(
            readers.silence * 1000, 1
        ),
    }
    for name, figure in figures.items():
        record_property(name, figure)
        print(f"{name}: {figure}")
    newest = live(connection)
    assert newest == 1 + REBUILDS
    assert readers.faults == []
    assert readers.silence < MAX_SILENCE
    assert readers.longest < MAX_WAIT
    assert_good(load)
    assert rows_of(connection, newest) == rows_of(connection, newest - 1) != []


def test_a_list_that_was_dropped_under_load_is_rebuilt_from_the_log(
    address: str,
    processes: Processes,
    engine: sa.Engine,
    connection: psycopg.Connection[Any],
) -> None:
    with commands_flowing(address, url_of(engine)) as load:
        dropped = name_of(projection.name, live(connection))
        connection.execute(f"DROP TABLE readmodels.{dropped} CASCADE")
        before = checkpoints(connection)

        wait_until(
            lambda: all(
                reached > before[name]
                for name, reached in checkpoints(connection).items()
            ),
            "the other read models go on",
        )
        rebuild(processes)
        with Readers(url_of(engine), READERS) as readers:
            sent = len(load.answers)
            wait_until(lambda: len(load.answers) > sent + RATE, "commands flow on")

    rebuilt = live(connection)
    rows = rows_of(connection, rebuilt)
    rebuild(processes)
    assert readers.faults == []
    assert load.outcomes == {"succeeded": len(load.answers)}
    # Who asks for the list while it is away is told so; no command suffers by it.
    assert {error.partition(":")[0] for error in load.errors} <= {"the list", "watch"}
    assert rows == rows_of(connection, rebuilt + 1) != []

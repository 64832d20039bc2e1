"""The history of a real shop comes into the log, whenever its import is killed."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from tasks.shop.setting_values import master_keys
from tasks.shop.settings import Settings
from tests.support import northwind
from tests.support.databases import MASTER_KEY, Databases
from tests.support.histories import Logged, last_number, read_log
from tests.support.processes import Process, Processes
from tests.support.waiting import somebody_waits, wait_until

pytestmark = [
    pytest.mark.races,
    pytest.mark.skipif(
        not northwind.is_there(),
        reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
    ),
]

EVENTS = 91 + 77 + 830 + 809
IN_THE_MIDDLE = [0, 99, 100, 350, 777, 1_000, 1_234, EVENTS - 1]
"""Places in the history; the import is killed while it appends the event there."""


@pytest.fixture(scope="module")
def whole(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Logged]]:
    """The log after an import that nobody disturbed."""
    name = f"t_whole_{os.getpid()}"
    settings = Settings(
        database_url=databases.clone(name),
        broker_url="redis+socket:///nowhere",
        secret_key="of no use outside of the tests, 32+",
        master_keys=master_keys(MASTER_KEY),
        timezone=ZoneInfo("UTC"),
    )
    engine = sa.create_engine(settings.database_url)
    end(start(Processes(settings, tmp_path_factory.mktemp("whole"))))
    log = read_log(engine)
    engine.dispose()
    yield log
    databases.drop(name)


def start(processes: Processes, *options: str, **environment: str) -> Process:
    return processes.start(
        f"import{len(processes.all)}",
        *(sys.executable, "-P", "-m", "cli", "import"),
        *(str(northwind.folder()), "--currency", "USD", *options),
        CURRENCY="USD",
        **environment,
    )


def end(process: Process) -> str:
    """Wait for the end of an import that succeeds; return what it said."""
    assert process.running is not None
    assert process.running.wait(120) == 0, process.text()
    return process.text()


def count_events(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT count(*) FROM events")) or 0)


@contextmanager
def held(engine: sa.Engine, statement: str) -> Iterator[None]:
    """Hold what *statement* takes, so that an import comes so far and no further."""
    with engine.execution_options(isolation_level="READ COMMITTED").connect() as holder:
        holder.execute(sa.text(statement))
        yield
        holder.rollback()


def lock_of(stream_id: str) -> str:
    key = f"public.lock_key(1, hashtextextended('{stream_id}', 0))"
    return f"SELECT pg_advisory_xact_lock({key})"


def test_northwind_is_in_the_log_with_its_figures(
    processes: Processes,
    engine: sa.Engine,
    record_property: Callable[[str, object], None],
) -> None:
    started = time.monotonic()
    said = end(start(processes))
    record_property("seconds for Northwind", round(time.monotonic() - started, 2))
    print(said)

    log = read_log(engine)
    created = [event.data for event in log if event.type == "OrderCreated"]
    shipped = {event.stream_id for event in log if event.type == "OrderShipped"}
    items = [item for data in created for item in data["items"]]
    assert sum(event.type == "CustomerRegistered" for event in log) == 91
    assert sum(event.type == "ProductAdded" for event in log) == 77
    assert len(created) == 830
    assert len(created) - len(shipped) == 21
    assert sum(data["total"] for data in created) == northwind.NET_WORTH
    assert sum(item["unit_price"] * item["quantity"] for item in items) == 135_445_859
    assert sum(data["carriage"] for data in created) == northwind.FREIGHT
    assert sum(data["freight"] for data in created) == 0
    assert [event.occurred_at for event in log] == sorted(
        event.occurred_at for event in log
    )
    assert last_number(engine) == 11_077
    assert last_number(engine, "product_numbers") == 77
    with engine.connect() as connection:
        worth = connection.scalar(
            sa.text("SELECT sum(total) FROM readmodels.order_list")
        )
    assert worth == northwind.NET_WORTH


def test_days_begin_in_the_shops_timezone(
    processes: Processes, engine: sa.Engine
) -> None:
    end(start(processes, TIMEZONE="America/New_York"))

    hours = {event.occurred_at[11:] for event in read_log(engine)}
    assert hours == {"04:00", "05:00"}


@pytest.mark.parametrize("place", IN_THE_MIDDLE)
def test_an_import_killed_in_a_batch_is_ended_by_the_next(
    processes: Processes, engine: sa.Engine, whole: list[Logged], place: int
) -> None:
    with held(engine, lock_of(whole[place].stream_id)):
        killed = start(processes)
        wait_until(lambda: somebody_waits(engine), f"it is held up: {killed.text()}")
        left = count_events(engine)
        killed.kill()
        # Its last append goes on in PostgreSQL, and the second run waits for that.
        second = start(processes)
        wait_until(lambda: "another import" in second.text(), "the second waits")
    end(second)

    assert left <= place
    assert read_log(engine) == whole


def test_an_import_killed_before_its_first_append_is_ended_by_the_next(
    processes: Processes, engine: sa.Engine, whole: list[Logged]
) -> None:
    with held(engine, "SELECT nextval('order_numbers')"):
        killed = start(processes)
        wait_until(lambda: somebody_waits(engine), "it waits for the numbers")
        killed.kill()
    end(start(processes))

    assert read_log(engine) == whole
    assert last_number(engine) == 11_077


def test_an_import_killed_after_its_last_append_leaves_nothing_to_do(
    processes: Processes, engine: sa.Engine, whole: list[Logged]
) -> None:
    killed = start(processes)
    wait_until(lambda: count_events(engine) == EVENTS, f"all is in: {killed.text()}")
    killed.kill()

    second, third = end(start(processes)), end(start(processes))

    assert f"nothing to do: all {EVENTS:,} events" in second
    assert f"nothing to do: all {EVENTS:,} events" in third
    assert read_log(engine) == whole


def test_two_imports_at_once_make_one_history(
    processes: Processes, engine: sa.Engine, whole: list[Logged]
) -> None:
    first, second = start(processes), start(processes)

    said = end(first) + end(second)

    assert said.count("nothing to do") == 1
    assert read_log(engine) == whole

"""A real history from before encryption is rewritten: what is personal is encrypted."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli import log
from cli.importing import import_history
from domain.customers.commands import ForgetCustomer
from eventstore.aggregates.decider import Deciders
from eventstore.rewriting.preconditions import Other, find_others
from readmodels import figures
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support import northwind
from tests.support.databases import MASTER_KEY, ROOT
from tests.support.desk import alice, place
from tests.support.searching import count_hits, dump
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races
on_northwind = pytest.mark.skipif(
    not northwind.is_there(),
    reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
)


@pytest.fixture
def in_the_clear(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop without keys, as of long ago."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(replace(settings, currency="USD"))
    vars(shop)["deciders"] = Deciders(shop.slices, masters=None).keyed(b"a secret")
    wiring.use(shop)
    yield shop
    shop.engine.dispose()


@pytest.fixture
def northwinds_shop(in_the_clear: Shop) -> Shop:
    """Northwind's history in the clear, with orders of version 1."""
    arguments = [str(northwind.folder()), "--currency", "USD"]
    result = CliRunner().invoke(import_history, arguments)
    assert result.exit_code == 0, result.output
    return with_keys(in_the_clear)


@pytest.fixture
def small_shop(in_the_clear: Shop) -> Shop:
    """Three customers and nine orders of version 1, all in the clear."""
    shop = in_the_clear
    orders = [replace(place, customer_id=f"C{n % 3}") for n in range(9)]
    customers = [replace(alice, customer_id=f"C{n}", email=None) for n in range(3)]
    for number, command in enumerate([*customers, *orders]):
        accepted = accept(shop, command, key=str(number), principal="staff")
        commands.run(shop, [accepted.command_id])
    return with_keys(shop)


def with_keys(shop: Shop) -> Shop:
    make_old(shop.engine)
    del vars(shop)["deciders"]
    return shop


def make_old(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for statement in (
            "ALTER TABLE events DISABLE TRIGGER events_refuse_change",
            """
            UPDATE events
            SET data = data - 'discount',
                metadata = jsonb_set(metadata, '{schema}', '"1.0"')
            WHERE type = 'OrderCreated'
            """,
            "ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change",
        ):
            connection.exec_driver_sql(statement)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(log, arguments)


def rows(shop: Shop, query: str) -> list[Any]:
    with shop.engine.connect() as connection:
        return list(connection.execute(sa.text(query)).all())


LOG = "SELECT * FROM events ORDER BY id"
# A contact of the customer ALFKI, who lives in the Obere Str. 57.
PERSONAL = "SELECT count(*) FROM {} WHERE data::text ~ 'Maria Anders|Obere Str'"


@on_northwind
def test_northwind_is_encrypted_and_tells_the_same(northwinds_shop: Shop) -> None:
    shop = northwinds_shop
    with shop.engine.connect() as connection:
        before = figures.find(connection)
    rehearsed = run("rewrite")
    clear = rows(shop, PERSONAL.format("events"))
    rewritten = run("rewrite", "--rewrite-history")

    assert rehearsed.exit_code == rewritten.exit_code == 0, rewritten.output
    assert "921 of 1,807 events would change" in rehearsed.output
    assert re.search(
        "830  OrderCreated 1.0 becomes OrderCreated 3.0 and is encrypted;"
        " the first is order-10248 version 1, position",
        rehearsed.output,
    )
    assert "91  CustomerRegistered 1.0 is encrypted" in rehearsed.output
    assert "Nothing was written" in rehearsed.output
    assert "921 of 1,807 events changed" in rewritten.output
    assert clear[0][0] > 1
    assert rows(shop, PERSONAL.format("events")) == [(0,)]
    assert rows(shop, PERSONAL.format("log_before_1.events")) == clear
    with shop.engine.connect() as connection:
        assert figures.find(connection) == before
    assert run("rewrite", "--rewrite-history").output.endswith(
        "There is nothing to change: the log is as of today.\n"
    )
    assert "log_before_1: 1,807 events" in run("kept").output
    assert run("drop", "log_before_1", "--yes").exit_code == 0
    assert run("kept").output == "No old log is kept.\n"


# What is known of the customer ALFKI, and of nobody else.
SECRETS = ("Alfreds Futterkiste", "Maria Anders", "Obere Str. 57", "030-0074321")


@on_northwind
def test_who_is_forgotten_after_the_rewrite_is_nowhere_any_more(
    northwinds_shop: Shop,
) -> None:
    shop = northwinds_shop
    url = shop.settings.database_url
    before = count_hits(dump(url, "--table", "public.events"), SECRETS)
    assert run("rewrite", "--rewrite-history").exit_code == 0
    kept = count_hits(dump(url, "--schema", "log_before_1"), SECRETS)
    forget = ForgetCustomer(customer_id="ALFKI")
    accepted = accept(shop, forget, key="forget", principal="staff")
    commands.run(shop, [accepted.command_id])
    assert run("drop", "log_before_1", "--yes").exit_code == 0
    wait_until(
        lambda: catch_up.run(shop) or not any(count_hits(dump(url), SECRETS).values()),
        "nothing is found in the database",
    )

    assert all(hits > 0 for hits in before.values()), before
    assert kept == before
    with shop.engine.connect() as connection:
        assert figures.find(connection).orders == 830


# A process that kills itself when it comes to that part, or is to commit.
DYING = """
import os, signal, sys
import sqlalchemy as sa
from cli import cli, log_rewrite

part = sys.argv.pop(1)
real = log_rewrite.progress

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def progress(label, length):
    if label == part:
        die()
    return real(label, length)

log_rewrite.progress = progress
if part == "commit":
    sa.event.listen(sa.Engine, "commit", die)
cli(["log", "rewrite", "--rewrite-history"])
"""
# The last two are after the swap.
PARTS = ("copying", "seals", "commit")


def run_dying(shop: Shop, part: str) -> int:
    shop.engine.dispose()
    environment = {
        **os.environ,
        "DATABASE_URL": shop.settings.database_url,
        "SECRET_KEY": shop.settings.secret_key,
        "MASTER_KEY": MASTER_KEY,
        "CURRENCY": "USD",
        "TIMEZONE": "UTC",
    }
    return subprocess.run(
        [sys.executable, "-c", DYING, part],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
    ).returncode


def others(shop: Shop) -> list[Other]:
    with shop.lent() as connection:
        return find_others(connection)


def test_a_rewrite_that_is_killed_leaves_the_old_log_in_force(
    small_shop: Shop,
) -> None:
    shop = small_shop
    before = rows(shop, LOG)
    for part in PARTS:
        assert run_dying(shop, part) == -signal.SIGKILL
        wait_until(lambda: not others(shop), "its session has ended")

        assert rows(shop, LOG) == before
        assert run("kept").output == "No old log is kept.\n"

    assert run_dying(shop, "never") == 0
    assert rows(shop, LOG) != before

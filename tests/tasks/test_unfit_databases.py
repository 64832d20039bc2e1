"""Nothing begins on a database that cannot be relied on; each says so in one line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner

from cli.doctor import doctor
from eventstore.session_errors import UnfitSession
from eventstore.sessions import looking
from tasks.shop import wiring
from tasks.shop.bad_setting import EX_CONFIG
from tasks.shop.connections import connect
from tasks.shop.startup_checks import refuse_what_loses_data
from tasks.shop.wiring import Shop
from tests.support.databases import MASTER_KEY, ROOT, Databases, in_encoding
from tests.support.settings import settings_for

TOLD = "is in LATIN1, which cannot keep every text; make another with CREATE DATABASE"


@pytest.fixture(scope="module")
def latin1(databases: Databases) -> Iterator[str]:
    with databases.lend_empty(in_encoding("LATIN1")) as url:
        yield url


@pytest.fixture
def unfit(latin1: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = Shop(settings_for(latin1))
    monkeypatch.setattr(wiring, "_shop", shop)
    yield shop
    shop.engine.dispose()


def test_no_process_begins_its_work(
    unfit: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        refuse_what_loses_data(unfit)

    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == EX_CONFIG
    assert TOLD in line


def test_the_doctor_says_it(unfit: Shop) -> None:
    result = CliRunner().invoke(doctor)

    assert result.exit_code == EX_CONFIG
    assert result.output.startswith("session: LOSES DATA: the database")
    assert "ENCODING 'UTF8'" in result.output


@pytest.mark.parametrize("command", [["alembic", "upgrade", "head"], ["cli", "status"]])
def test_neither_a_migration_nor_an_operator_begins(
    latin1: str, command: list[str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": latin1,
            "REDIS_URL": "redis+socket:///nowhere",
            "SECRET_KEY": "of no use outside of the tests, 32+",
            "MASTER_KEY": MASTER_KEY,
        },
        capture_output=True,
        text=True,
    )

    assert done.returncode == EX_CONFIG, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("recount: the database")
    assert TOLD in line


def test_a_server_that_becomes_a_standby_is_an_outage_and_no_bug(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next session may be one of another server, which can be written to."""
    standby = looking.PIN.replace("pg_catalog.pg_is_in_recovery()", "true")
    monkeypatch.setattr(looking, "PIN", standby)

    with pytest.raises(UnfitSession, match="a standby"):
        connect(shop.settings.database_url)
    with pytest.raises(SystemExit):
        refuse_what_loses_data(Shop(replace(shop.settings)))

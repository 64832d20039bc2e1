"""A command of the order desk runs in the environment of the `up` that it joins."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from embedded import handover, logins, record
from embedded.folders import ROOT, folders_from
from embedded.up import HANDED_DOWN
from tasks.shop.settings import OF_ROLES, VARIABLES


@pytest.fixture
def joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a running `up` hands down: this test's process has written its record."""
    for name in ("DATABASE_URL", "CURRENCY", "TIMEZONE", "LOCALE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("STATE_DIR", str(tmp_path))
    handed_down = {"DATABASE_URL": "postgresql:///of_up", "TIMEZONE": "Europe/Oslo"}
    record.write(
        record.Record(
            up=record.this_process(),
            address="http://127.0.0.1:5000",
            environment=handed_down,
            children=[],
        ),
        folders_from({"STATE_DIR": str(tmp_path)}),
    )
    return handed_down


def test_a_command_has_the_shop_of_the_running_up(
    joined: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRENCY", "USD")
    monkeypatch.setenv("TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("LOCALE", "ja")

    environment = handover.environment()

    assert environment["DATABASE_URL"] == joined["DATABASE_URL"]
    assert environment["TIMEZONE"] == "Europe/Oslo"
    # `up` was not told these, so it has the defaults, and the command has them too.
    assert not {"CURRENCY", "LOCALE"} & environment.keys()


def test_addresses_of_all_servers_are_handed_down_and_reach_each_process() -> None:
    servers = {name for name in VARIABLES if name.endswith("_URL")}
    stores = servers - {*OF_ROLES.values(), "DATABASE_URL", "REDIS_URL"}
    given = dict.fromkeys([*OF_ROLES.values(), *stores], "somewhere")

    assert stores
    assert servers - set(HANDED_DOWN) == {
        OF_ROLES[role] for role in ("web", "worker", "relay")
    }
    for process in logins.OF_PROCESSES:
        assert stores <= logins.for_process(process, given).keys()


def test_a_store_can_be_named_to_a_command_before_up_knows_it(
    joined: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_URL", "http://127.0.0.1:9200")

    environment = handover.environment()

    assert environment["SEARCH_URL"] == "http://127.0.0.1:9200"
    assert environment["DATABASE_URL"] == joined["DATABASE_URL"]


def test_a_command_for_a_database_of_ones_own_has_ones_own_settings(
    joined: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///of_my_own")
    monkeypatch.setenv("CURRENCY", "USD")

    environment = handover.environment()

    assert environment["DATABASE_URL"] == "postgresql:///of_my_own"
    assert environment["CURRENCY"] == "USD"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["stream", "--help"], ["log", "show", "--help"]]
)
def test_help_is_given_also_where_nothing_is_up(
    arguments: list[str], tmp_path: Path
) -> None:
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "embedded", *arguments],
        env={"STATE_DIR": str(tmp_path), "PYTHONPATH": os.fspath(ROOT)},
        capture_output=True,
        text=True,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(("Usage: recount ", "Recount: "))


def test_handing_a_command_on_imports_neither_driver_nor_engine() -> None:
    """The command itself imports what it needs: all else would be paid for twice."""
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, embedded.cli\n"
            "print(*{name.partition('.')[0] for name in sys.modules})",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found = set(ended.stdout.split())

    assert "embedded" in found
    assert found.isdisjoint({"psycopg", "sqlalchemy", "eventstore", "celery"})

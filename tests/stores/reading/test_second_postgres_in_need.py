"""Real web processes are read from while the primary is away: a second PostgreSQL."""

import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tasks.shop.settings import Settings
from tests.stores.reading.test_without_the_primary import (
    LONG,
    PATHS,
    SHORT,
    have_faults,
    reading,
)
from tests.stores.servers.postgres import PostgresServer
from tests.support.client import Client, client_of
from tests.support.databases import Databases
from tests.support.processes import Processes
from tests.support.settings import settings_for
from tests.support.visiting import Place
from tests.support.waiting import wait_until


@pytest.fixture
def settings(database: str, databases: Databases) -> Iterator[Settings]:
    with databases.lend_empty() as url:
        yield replace(settings_for(database), read_database_url=url)


@pytest.mark.parametrize("seconds", [SHORT, LONG])
def test_no_read_fails_while_the_primary_is_stopped_killed_and_back(
    settings: Settings,
    alice: str,
    place: Place,
    second_postgres: PostgresServer,
    tmp_path: Path,
    seconds: float,
) -> None:
    order = place("paid")
    assert settings.read_database_url is not None
    processes = Processes(
        settings, tmp_path, extra={"READ_DATABASE_URL": settings.read_database_url}
    )
    try:
        processes.relay()
        web = processes.web(WEB_PROCESSES="2")
        with client_of(web) as sender:
            for path in PATHS:
                if path.startswith("/api"):
                    wait_until(
                        partial(answers_from, web, path.format(order=order)), path
                    )
            with reading(web, order) as found:
                have_faults(second_postgres, sender, found, seconds)
    finally:
        processes.kill_all()


def answers_from(address: str, path: str) -> bool:
    request = urllib.request.Request(address + path)
    request.add_header("Authorization", Client.authorization)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bool(answer.headers["Recount-Store"] == "postgres")

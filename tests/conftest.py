"""What tests share: a fresh database each, cloned from one that is migrated once."""

import os
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tasks import catch_up, commands
from tasks.accept import accept
from tasks.app import app as celery
from tasks.shop import wiring
from tasks.shop.setting_values import database_url
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.databases import Databases
from tests.support.desk import Do
from tests.support.local_client import LocalClient
from tests.support.settings import settings_for


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The server that DATABASE_URL names; `./recount test` brings one of its own."""
    url = os.environ.get("DATABASE_URL")
    if not url:
        pytest.exit("DATABASE_URL is not set: run the tests by ./recount test", 78)
    databases = Databases(sa.make_url(database_url(url)))
    yield databases
    databases.close()


@pytest.fixture(autouse=True)
def _as_a_program_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each client of a web in the tests send this computer's header."""
    monkeypatch.setattr(Flask, "test_client_class", LocalClient)


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The URL of a migrated, empty database, dropped after the test."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    yield databases.clone(name)
    databases.drop(name)


@pytest.fixture
def settings(database: str) -> Settings:
    """Settings with this test's database and, unless it asks for one, no broker."""
    return settings_for(database)


@pytest.fixture
def shop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The order desk on a fresh database; what it would publish goes nowhere."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(settings)
    wiring.use(shop)
    # Once a process, and of a database that is there: it is kept from then on.
    assert celery.conf.task_routes
    shop.ensure_read_models()
    yield shop
    shop.engine.dispose()


@pytest.fixture
def do(shop: Shop) -> Do:
    """Accept commands, run each, and bring the read models up to date."""
    keys = map(str, range(1_000))

    def do(*asked: Any) -> None:
        for command in asked:
            accepted = accept(shop, command, key=next(keys), principal="staff")
            commands.run(shop, [accepted.command_id])
        catch_up.run(shop)

    return do

"""What tests share: a fresh database each, a program of the API, the shop's workers."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

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
from tests.support.visiting import ALICE, CLOCKS, HOW, Place, Send, Work
from webapp import create_app


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
    with databases.lend() as url:
        yield url


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
    shop.close()


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


@pytest.fixture
def app(shop: Shop) -> Flask:
    return create_app(shop)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def send(client: FlaskClient) -> Send:
    """Send a command to the API, as a program does."""

    def send(name: str, data: Any, key: str = "first", **headers: str) -> TestResponse:
        return client.post(
            "/api/commands",
            json={"type": name, "data": data},
            headers={"Idempotency-Key": key, **headers},
        )

    return send


@pytest.fixture
def work(shop: Shop, run: Work) -> Work:
    """Run the commands that *responses* promised, and bring the list up to date."""

    def work(*responses: TestResponse) -> None:
        run(*responses)
        catch_up.run(shop)

    return work


@pytest.fixture
def run(shop: Shop) -> Work:
    """Run the commands that *responses* promised; the read models lag behind."""

    def run(*responses: TestResponse) -> None:
        addresses = [response.headers["Location"] for response in responses]
        commands.run(shop, [UUID(address.rpartition("/")[2]) for address in addresses])

    return run


@pytest.fixture
def alice(send: Send, work: Work) -> str:
    """A registered customer."""
    work(send("RegisterCustomer", ALICE, key="alice"))
    return "ALICE"


@pytest.fixture
def place(client: FlaskClient, send: Send, work: Work) -> Place:
    """Place an order of Alice's, bring it to a status, and return its number."""

    def place(status: str = "pending", **other: Any) -> int:
        placed = send("PlaceOrder", {**CLOCKS, **other}, key=str(uuid4()))
        work(placed)
        entry = client.get(placed.headers["Location"]).json
        assert entry is not None
        order_id = int(entry["stream_id"].removeprefix("order-"))
        for name, data in HOW[status]:
            data = {"order_id": order_id, **data}
            if name == "ConfirmDelivery":
                data["delivered_at"] = datetime.now(UTC).isoformat()
            work(send(name, data, key=str(uuid4())))
        return order_id

    return place

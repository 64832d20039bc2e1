"""What the tests of the web share: a browser, a program, and the shop's workers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tasks import catch_up, commands
from tasks.shop.setting_values import master_keys
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.databases import MASTER_KEY
from tests.support.settings import SECRET_KEY
from tests.webapp.visiting import ALICE, CLOCKS, HOW, Browser, Place, Send, Work
from webapp import create_app


@pytest.fixture
def app(shop: Shop) -> Flask:
    return create_app(shop)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


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


@pytest.fixture
def away() -> FlaskClient:
    """A client of a shop whose database is not there."""
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere",
        broker_url="redis://127.0.0.1:1",
        secret_key=SECRET_KEY,
        master_keys=master_keys(MASTER_KEY),
        timezone=ZoneInfo("UTC"),
    )
    return create_app(Shop(settings)).test_client()

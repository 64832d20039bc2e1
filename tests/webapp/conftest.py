"""What the tests of the web share: a browser, and a shop whose database is away."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.shop.setting_values import master_keys
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.databases import MASTER_KEY
from tests.support.following import serving
from tests.support.settings import SECRET_KEY
from tests.support.visiting import BOB, Browser, Send, Work
from webapp import create_app
from webapp.feed.follower import Follower


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


@pytest.fixture
def bob(send: Send, work: Work) -> str:
    """A registered customer of whom everything is known."""
    work(send("RegisterCustomer", BOB, key="bob"))
    return "BOB"


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


THREADS = 2
"""Threads that answer, in the tests of what keeps none of them."""


@pytest.fixture
def port(app: Flask) -> Iterator[int]:
    """The port of the server of ours, which has a few threads."""
    with serving(app, THREADS) as port:
        yield port


@pytest.fixture
def follower(app: Flask) -> Follower:
    found: Follower = app.extensions["follower"]
    return found

"""Queries of a shop whose answers say which database gave them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.stores.servers.postgres import ReplicaServer
from tests.support.waiting import wait_until
from webapp import create_app

MUCH = 1.5
"""Seconds that nothing here takes, on a machine that others load, too."""
OF_QUERIES = (
    "/api/orders",
    "/api/orders?q=Alice",
    "/api/orders/{order}",
    "/api/customers",
    "/api/customers?q=ali",
    "/api/customers/ALICE",
    "/api/products",
    "/api/figures",
    "/api/sales",
    "/api/accounts",
    "/api/transfers",
)
PAGES = (
    "/orders",
    "/orders?q=Alice",
    "/orders/{order}",
    "/orders/new",
    "/customers",
    "/customers/ALICE",
    "/customers/ALICE/edit",
    "/accounts",
    "/transfers",
    "/sales",
    "/sales?by=customer",
)


def store_of(response: TestResponse) -> str:
    assert response.status_code == 200, response.text
    return response.headers["Recount-Store"]


def wait_until_away(client: FlaskClient) -> None:
    """Wait until a page says that the primary is away."""
    wait_until(
        lambda: "database is away" in client.get("/orders").text, "the page says so"
    )


@contextmanager
def paused_replay(standby: ReplicaServer) -> Iterator[None]:
    """Keep the standby from replaying what it gets."""
    with psycopg.connect(standby.url, autocommit=True) as link:
        link.execute("SELECT pg_wal_replay_pause()")
        try:
            wait_until(
                lambda: (
                    link.execute("SELECT pg_get_wal_replay_pause_state()").fetchone()
                    == ("paused",)
                ),
                "the standby stands still",
            )
            yield
        finally:
            link.execute("SELECT pg_wal_replay_resume()")


@contextmanager
def another_process(settings: Settings, **other: Any) -> Iterator[FlaskClient]:
    """Lend a client of a web that has asked nothing yet, with *other* settings."""
    shop = Shop(replace(settings, **other))
    try:
        yield create_app(shop).test_client()
    finally:
        shop.close()

"""Queries are asked of a second PostgreSQL, which has the read models alone."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.tokens import revoke_token
from eventstore.errors.stores import StoreAway
from eventstore.stores.row_store import Shelf
from readmodels import order_list
from readmodels.stores.postgres.store import PostgresStore
from tasks import catch_up
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tasks.stores.process import StoreThread
from tasks.stores.row_stores import row_stores
from tests.stores.servers.postgres import PostgresServer
from tests.support.databases import Databases
from tests.support.read_queries import (
    MUCH,
    OF_QUERIES,
    PAGES,
    store_of,
    wait_until_away,
)
from tests.support.settings import settings_for
from tests.support.users import bearing, token_of, user
from tests.support.visiting import Place, Send, Work, assert_problem
from tests.support.waiting import wait_until


@pytest.fixture
def read_database(databases: Databases) -> Iterator[str]:
    """An empty database on the server that no test of these ends."""
    with databases.lend_empty() as url:
        yield url


@pytest.fixture
def settings(database: str, read_database: str) -> Settings:
    return replace(settings_for(database), read_database_url=read_database)


@pytest.fixture
def feeder(shop: Shop) -> Iterator[threading.Event]:
    """What feeds the copies, as a child of the relay does, until this is set."""
    stop = threading.Event()
    stores = list(row_stores(shop.settings, shop.identity))
    threads = [StoreThread(store, shop.settings, stop).start() for store in stores]
    yield stop
    stop.set()
    for thread in threads:
        thread.join(30)
    for store in stores:
        assert isinstance(store, PostgresStore)
        store.close()


@pytest.fixture
def order(alice: str, place: Place, client: FlaskClient, feeder: object) -> int:
    """An order that the second database has."""
    number = place("paid")
    path = f"/api/orders/{number}"
    wait_until(lambda: client.get(path).headers.get("Recount-Store") == "postgres", "")
    for path in OF_QUERIES:
        wait_until(partial(is_fed_at, client, path.format(order=number)), path)
    return number


def is_cut_off_at(client: FlaskClient, path: str) -> bool:
    found = client.get(path)
    assert store_of(found) == "postgres"
    because: str | None = found.get_json().get("stands_still_because")
    return because == "cut off"


def is_fed_at(client: FlaskClient, path: str) -> bool:
    return is_fed(client.get(path))


def is_fed(response: TestResponse) -> bool:
    return store_of(response) == "postgres"


def test_every_query_is_asked_of_the_second_database(
    client: FlaskClient, order: int, shop: Shop
) -> None:
    with shop.reads.stores[0].lend() as there, shop.engine.connect() as here:  # type: ignore[union-attr]
        wanted = order_list.find(here, sort="-total", limit=10)
        assert order_list.find(there, sort="-total", limit=10) == wanted
    for path in (*OF_QUERIES, *PAGES):
        response = client.get(path.format(order=order))

        assert store_of(response) == "postgres", path
        assert int(response.headers["Recount-Position"]) >= 0


def test_a_change_is_there_soon_and_asked_of_the_primary_until_then(
    client: FlaskClient, order: int, send: Send, work: Work
) -> None:
    sent = send("ShipOrder", {"order_id": order, "tracking_no": "1Z"}, key="ship")
    work(sent)
    link = client.get(sent.headers["Location"]).get_json()["links"]["order"]
    found = client.get(link)

    assert found.get_json()["status"] == "shipped"
    wait_until(lambda: is_fed(client.get(link)), "it is there")
    assert client.get(link).get_json()["status"] == "shipped"


def test_without_its_feeder_the_primary_answers(
    client: FlaskClient,
    order: int,
    feeder: threading.Event,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.stores.store_state.MAX_SECONDS_OLD", 1.5)
    feeder.set()

    wait_until(
        lambda: store_of(client.get("/api/orders")) == "primary", "it is too old"
    )


def test_of_a_read_model_that_stands_still_the_primary_tells(
    client: FlaskClient, order: int, shop: Shop, send: Send, run: Work
) -> None:
    run(send("ShipOrder", {"order_id": order, "tracking_no": "1Z"}, key="ship"))
    # Nobody catches up: the copy has all changes of rows that are old themselves.
    wait_until(
        lambda: client.get("/api/orders").get_json().get("stands_still_because"),
        "it is told",
    )
    found = client.get("/api/orders")

    assert store_of(found) == "primary"
    assert found.get_json()["stands_still_because"] == "idle"
    catch_up.run(shop)
    wait_until(lambda: is_fed(client.get("/api/orders")), "the copy answers again")


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_without_the_primary_all_can_be_read_and_nothing_sent(
    client: FlaskClient,
    order: int,
    second_postgres: PostgresServer,
    send: Send,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.stores.store_state.MAX_SECONDS_OLD", 1.5)
    monkeypatch.setattr("webapp.token_cache.FRESH", 0.0)
    getattr(second_postgres, fault)()
    wait_until_away(client)
    for path in OF_QUERIES:
        began = time.monotonic()
        found = client.get(path.format(order=order))
        assert store_of(found) == "postgres"
        assert time.monotonic() - began < MUCH
        # One was noted to have all a moment after another.
        wait_until(partial(is_cut_off_at, client, path.format(order=order)), path)
    for path in PAGES:
        page = client.get(path.format(order=order))
        assert store_of(page) == "postgres"
        assert page.text.count("database is away") == 1, path
    assert client.get("/readyz").get_json()["status"] == "degraded"
    if fault == "kill":
        refused = send("CancelOrder", {"order_id": order, "reason": "late"}, key="late")
        assert_problem(refused, 503, "unavailable")


def test_a_token_that_was_good_reads_for_a_while_and_sends_nothing(
    client: FlaskClient,
    shop: Shop,
    order: int,
    second_postgres: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webapp.token_cache.FRESH", 0.0)
    user(shop, "erin", "sales")
    good, other = token_of(shop, "erin"), token_of(shop, "erin")
    revoked = token_of(shop, "erin")
    for token in (good, revoked):
        store_of(client.get("/api/orders", headers=bearing(token)))
    with shop.lent() as connection:
        assert revoke_token(connection, revoked.split("_")[1])
    assert client.get("/api/orders", headers=bearing(revoked)).status_code == 401
    second_postgres.kill()

    assert store_of(client.get("/api/orders", headers=bearing(good))) == "postgres"
    for unknown in (other, revoked):
        refused = client.get("/api/orders", headers=bearing(unknown))
        assert_problem(refused, 503, "unavailable")
    sent = client.post(
        "/api/commands",
        json={"type": "CancelOrder", "data": {"order_id": order, "reason": "late"}},
        headers={"Idempotency-Key": "late", **bearing(good)},
    )
    assert_problem(sent, 503, "unavailable")
    monkeypatch.setattr("webapp.authorization.MAX_SECONDS_OF_MEMORY", 0.0)
    late = client.get("/api/orders", headers=bearing(good))
    assert_problem(late, 503, "unavailable")


def test_a_copy_that_is_gone_is_not_asked_and_made_again(
    client: FlaskClient, order: int, read_database: str
) -> None:
    with psycopg.connect(plain(read_database), autocommit=True) as link:
        link.execute("DROP SCHEMA recount_store, readmodels CASCADE")

    assert store_of(client.get("/api/orders")) == "primary"
    wait_until(lambda: is_fed(client.get("/api/orders")), "it is filled again")
    orders = client.get("/api/orders").get_json()["orders"]
    assert [row["order_id"] for row in orders] == [order]


def test_the_database_of_another_shop_is_not_asked(
    client: FlaskClient, order: int, read_database: str
) -> None:
    with psycopg.connect(plain(read_database), autocommit=True) as link:
        link.execute("UPDATE recount_store.shop SET identity = 'another'")

    assert store_of(client.get("/api/orders")) == "primary"


def test_a_database_with_a_log_is_left_alone(database: str) -> None:
    store = PostgresStore(database, "a shop")

    with pytest.raises(StoreAway, match="has a log itself"):
        store.load_shelf("order_list")
    store.close()


def test_who_reads_a_view_is_waited_for(
    client: FlaskClient, order: int, read_database: str, shop: Shop
) -> None:
    store = PostgresStore(read_database, shop.identity)
    shelf = store.load_shelf("order_list")
    assert shelf is not None
    engine = sa.create_engine(read_database)
    with engine.connect() as reader:
        reader.execute(sa.text("SELECT count(*) FROM readmodels.order_list"))
        with pytest.raises(StoreAway, match="LockNotAvailable"):
            store.save_shelf("order_list", Shelf(), 2**62)
    engine.dispose()
    store.close()


def plain(url: str) -> str:
    return url.replace("+psycopg", "", 1)

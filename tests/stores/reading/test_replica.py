"""Queries are asked of a replica, and of the primary where that is not new enough."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.tokens import revoke_token
from readmodels import order_list
from tasks.shop.setting_values import database_url
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tasks.stores.checks import check_stores
from tasks.stores.standings import StoreStanding
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.support.databases import Databases
from tests.support.users import bearing, token_of, user
from tests.support.visiting import Place, Send, ask, assert_problem
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
)


def store_of(response: TestResponse) -> str:
    assert response.status_code == 200, response.text
    return response.headers["Recount-Store"]


@pytest.fixture
def order(place: Place, standby: ReplicaServer) -> int:
    """An order that the standby has."""
    number = place("paid")
    # A server that is killed starts soon if it has nothing to do again.
    for url in (standby.connection_string(), standby.url):
        standby.catch_up()
        with psycopg.connect(url, autocommit=True) as link:
            link.execute("CHECKPOINT")
    return number


@pytest.fixture(autouse=True)
def _customer(alice: str) -> None:
    """There is a customer."""


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


def test_every_query_is_asked_of_the_replica(client: FlaskClient, order: int) -> None:
    for path in (*OF_QUERIES, *PAGES):
        response = client.get(path.format(order=order))

        assert store_of(response) == "replica", path
        assert int(response.headers["Recount-Position"]) >= 0


def test_the_header_has_the_position_of_the_rows(
    client: FlaskClient, order: int
) -> None:
    response = client.get(f"/api/orders/{order}")

    assert response.headers["Recount-Position"] == str(response.get_json()["position"])


def test_a_replica_that_has_not_got_to_a_position_is_waited_for_only_briefly(
    client: FlaskClient, order: int, standby: ReplicaServer, send: Send, work: Any
) -> None:
    with paused_replay(standby):
        paid = send("ShipOrder", {"order_id": order, "tracking_no": "1Z"}, key="ship")
        work(paid)
        began = time.monotonic()
        found = client.get(ask(client, paid.headers["Location"])["links"]["order"])

        assert store_of(found) == "primary"
        assert found.get_json()["status"] == "shipped"
        assert time.monotonic() - began < MUCH
        # Without a position the replica's rows are new enough for some seconds.
        assert store_of(client.get(f"/api/orders/{order}")) == "replica"


def test_a_replica_that_hears_nothing_is_asked_no_more(
    client: FlaskClient,
    order: int,
    standby: ReplicaServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.stores.store_state.MAX_SECONDS_OLD", 0.5)
    with paused_replay(standby):
        wait_until(
            lambda: store_of(client.get("/api/orders")) == "primary",
            "the replica's rows are too old",
        )


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_without_the_replica_the_primary_answers(
    client: FlaskClient, order: int, standby: ReplicaServer, fault: str
) -> None:
    assert store_of(client.get("/api/orders")) == "replica"
    getattr(standby, fault)()
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        assert store_of(client.get("/api/orders")) == "primary"
        slowest = max(slowest, time.monotonic() - began)
    assert slowest < MUCH
    standby.ensure_running()
    wait_until(
        lambda: store_of(client.get("/api/orders")) == "replica", "it is asked again"
    )


def test_a_query_that_the_replica_breaks_off_is_asked_again(
    client: FlaskClient, order: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_session(connection: Any, **asked: Any) -> Any:
        monkeypatch.undo()
        connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    assert store_of(client.get("/api/orders")) == "replica"
    monkeypatch.setattr(order_list, "find", end_session)
    found = client.get("/api/orders")

    assert store_of(found) == "primary"
    assert [row["order_id"] for row in found.get_json()["orders"]] == [order]


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_without_the_primary_all_can_be_read_and_nothing_sent(
    client: FlaskClient,
    order: int,
    second_postgres: PostgresServer,
    send: Send,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tasks.stores.store_state.MAX_SECONDS_OLD", 0.5)
    monkeypatch.setattr("webapp.token_cache.FRESH", 0.0)
    sent = send("PlaceOrder", {}, key="bad")
    assert sent.status_code == 422
    getattr(second_postgres, fault)()
    wait_until(
        lambda: "database is away" in client.get("/orders").text, "the page says so"
    )
    for path in OF_QUERIES:
        began = time.monotonic()
        found = client.get(path.format(order=order))
        assert store_of(found) == "replica"
        assert found.get_json()["stands_still_because"] == "cut off"
        assert found.get_json()["stands_still_since"]
        assert time.monotonic() - began < MUCH
    for path in PAGES:
        page = client.get(path.format(order=order))
        assert store_of(page) == "replica"
        assert page.text.count("database is away") == 1, path
        assert "<time" in page.text.partition("You see the shop as of")[2][:40]
    if fault == "kill":
        refused = send("CancelOrder", {"order_id": order, "reason": "late"}, key="late")
        assert_problem(refused, 503, "unavailable")


def test_a_position_that_nobody_can_reach_says_how_far_it_is(
    client: FlaskClient, order: int, second_postgres: PostgresServer
) -> None:
    reached = client.get("/api/orders").get_json()["position"]
    second_postgres.kill()

    found = client.get(f"/api/orders?min_position={reached + 7}")

    assert store_of(found) == "replica"
    assert found.get_json()["behind"] == 7


def test_what_is_missing_without_the_primary_may_be_there_by_now(
    client: FlaskClient, order: int, second_postgres: PostgresServer
) -> None:
    reached = client.get("/api/orders").get_json()["position"]
    second_postgres.kill()

    found = client.get(f"/api/orders/999999?min_position={reached + 1}")

    assert assert_problem(found, 404, "not-found")["stands_still_because"] == "cut off"


def test_a_command_is_shown_without_the_primary(
    client: FlaskClient,
    send: Send,
    work: Any,
    order: int,
    standby: ReplicaServer,
    second_postgres: PostgresServer,
) -> None:
    sent = send("CancelOrder", {"order_id": order, "reason": "late"}, key="late")
    work(sent)
    address = sent.headers["Location"]
    assert store_of(client.get(address)) == "primary"
    standby.catch_up()
    second_postgres.kill()

    assert store_of(client.get(address)) == "replica"
    page = client.get(address.removeprefix("/api"))
    assert store_of(page) == "replica"
    assert "database is away" in page.text
    assert store_of(client.get("/api/commands")) == "replica"
    missing = client.get("/api/commands/00000000-0000-4000-8000-000000000000")
    assert_problem(missing, 404, "not-found")


def test_a_token_reads_without_the_primary_if_the_replica_knows_it(
    shop: Shop,
    settings: Settings,
    order: int,
    standby: ReplicaServer,
    second_postgres: PostgresServer,
) -> None:
    headers = user(shop, "erin", "sales")
    standby.catch_up()
    second_postgres.kill()
    with another_process(settings) as client:
        assert store_of(client.get("/api/orders", headers=headers)) == "replica"
        wrong = bearing(f"recount_0123456789ab_{'A' * 43}")
        assert client.get("/api/orders", headers=wrong).status_code == 401


def test_a_revoked_token_is_refused_though_the_replica_has_it_still(
    shop: Shop, client: FlaskClient, order: int, standby: ReplicaServer
) -> None:
    user(shop, "erin", "sales")
    token = token_of(shop, "erin")
    standby.catch_up()
    with paused_replay(standby):
        with shop.lent() as connection:
            assert revoke_token(connection, token.split("_")[1])

        assert client.get("/api/orders", headers=bearing(token)).status_code == 401


def test_health_and_metrics_tell_of_each_database(
    client: FlaskClient, order: int, second_postgres: PostgresServer
) -> None:
    ready = client.get("/readyz").get_json()
    assert ready["database"] == "ok"
    assert [store["state"] for store in ready["stores"]] == ["ok"]
    assert 'recount_database_up{store="replica"} 1.0' in client.get("/metrics").text
    second_postgres.kill()

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.get_json()["status"] == "degraded"
    assert answer.get_json()["database"] == "away"
    figures = client.get("/metrics").text
    assert 'recount_database_up{store="primary"} 0.0' in figures
    assert 'recount_database_up{store="replica"} 1.0' in figures
    assert "recount_store_seconds_old" in figures


def test_without_both_nothing_is_ready(
    client: FlaskClient,
    order: int,
    second_postgres: PostgresServer,
    standby: ReplicaServer,
) -> None:
    second_postgres.kill()
    standby.kill()

    assert client.get("/readyz").status_code == 503
    assert_problem(client.get("/api/orders"), 503, "unavailable")
    second_postgres.start()


@contextmanager
def another_process(settings: Settings, **other: Any) -> Iterator[FlaskClient]:
    """Lend a client of a web that has asked nothing yet, with *other* settings."""
    shop = Shop(replace(settings, **other))
    try:
        yield create_app(shop).test_client()
    finally:
        shop.close()


def test_a_server_that_is_no_standby_is_not_asked(
    settings: Settings, order: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with another_process(
        settings, replica_database_url=settings.database_url
    ) as client:
        assert store_of(client.get("/api/orders")) == "primary"
        assert store_of(client.get("/api/orders")) == "primary"
    assert "no standby" in capsys.readouterr().err


def test_a_standby_of_another_server_is_not_asked(
    settings: Settings,
    order: int,
    databases: Databases,
    replica: ReplicaServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with (
        databases.lend() as other,
        another_process(
            settings, replica_database_url=database_url(replica.url_for(other))
        ) as client,
    ):
        replica.catch_up()
        assert store_of(client.get("/api/orders")) == "primary"
        assert store_of(client.get("/api/orders")) == "primary"
    assert "standby of another database" in capsys.readouterr().err


def test_a_form_that_is_posted_is_filled_by_the_primary(
    client: FlaskClient, order: int, standby: ReplicaServer, shop: Shop
) -> None:
    standby.kill()
    shop_page = client.get("/orders/new")
    assert store_of(shop_page) == "primary"


def test_the_doctor_looks_at_the_replica_too(
    shop: Shop, order: int, standby: ReplicaServer, second_postgres: PostgresServer
) -> None:
    def ask_doctor() -> list[str]:
        standings: list[StoreStanding] = []
        with shop.lent() as connection:
            found = check_stores(shop, connection, standings)
            return [f"{ailment.check}: {ailment.what}" for ailment in found]

    assert ask_doctor() == []
    with psycopg.connect(second_postgres.url, autocommit=True) as link:
        link.execute("SELECT pg_create_physical_replication_slot('lost', true)")
        try:
            assert "the slot lost keeps write-ahead log" in ask_doctor()[0]
        finally:
            link.execute("SELECT pg_drop_replication_slot('lost')")
    standby.stop()
    assert "it is away, and the primary answers instead" in ask_doctor()[0]

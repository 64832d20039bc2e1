"""Queries are asked of a replica, and of the primary where that is not new enough."""

import time
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from readmodels import order_list
from tasks.shop.setting_values import database_url
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tasks.stores.checks import check_stores
from tasks.stores.standings import StoreStanding
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.support.databases import Databases
from tests.support.read_queries import (
    MUCH,
    OF_QUERIES,
    PAGES,
    another_process,
    paused_replay,
    store_of,
)
from tests.support.visiting import Send, ask
from tests.support.waiting import wait_until


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

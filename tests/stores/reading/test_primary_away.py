"""Without the primary a replica answers all queries, and nothing can be sent."""

import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from eventstore.access.tokens import revoke_token
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.support.read_queries import (
    MUCH,
    OF_QUERIES,
    PAGES,
    another_process,
    paused_replay,
    store_of,
    wait_until_away,
)
from tests.support.slow_proxy import slow_proxy
from tests.support.users import bearing, token_of, user
from tests.support.visiting import Send, assert_problem
from tests.support.waiting import wait_until


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
    wait_until_away(client)
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
    # It may have been accepted a moment before the primary went away.
    assert_problem(missing, 503, "unavailable")


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


def test_a_slow_replica_answers_where_no_other_can(
    shop: Shop,
    settings: Settings,
    order: int,
    standby: ReplicaServer,
    second_postgres: PostgresServer,
) -> None:
    headers = user(shop, "erin", "sales")
    standby.catch_up()
    assert settings.replica_database_url is not None
    with (
        slow_proxy(settings.replica_database_url) as proxy,
        another_process(settings, replica_database_url=proxy.url) as client,
    ):
        wait_until(
            lambda: store_of(client.get("/api/orders", headers=headers)) == "replica",
            "the replica answers",
        )
        proxy.delay = 0.25
        assert store_of(client.get("/api/orders", headers=headers)) == "primary"
        second_postgres.kill()
        for path in ("/api/orders", f"/api/orders/{order}", "/api/customers"):
            assert store_of(client.get(path, headers=headers)) == "replica"


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

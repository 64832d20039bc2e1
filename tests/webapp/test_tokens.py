"""Asking the API by a token: whose it is, as long as it is good, and without one."""

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.tokens import revoke_token
from eventstore.access.users import set_disabled, set_roles
from eventstore.journal import entries
from tasks import commands
from tasks.shop.demo.client import Client as DemoClient
from tasks.shop.demo.client import DemoFailed
from tasks.shop.wiring import Shop
from tests.support.answering import serving
from tests.support.databases import as_role
from tests.support.users import bearing, token_of, user
from tests.support.visiting import ALICE, Send
from tests.support.waiting import wait_until
from webapp import create_app
from webapp.token_cache import MAX_WRONG

WRONG = bearing(f"recount_0123456789ab_{'A' * 43}")


def id_of(response: TestResponse) -> UUID:
    assert response.status_code == 202, response.get_json()
    return UUID(response.get_json()["id"])


def fate_of(shop: Shop, response: TestResponse) -> entries.Entry:
    commands.run(shop, [id_of(response)])
    with shop.engine.connect() as connection:
        entry = entries.find(connection, id_of(response))
    assert entry is not None
    return entry


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.get_json(force=True)
    return body


def test_without_users_who_is_on_this_computer_is_local(send: Send, shop: Shop) -> None:
    assert fate_of(shop, send("RegisterCustomer", ALICE)).principal == "local"


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.0.2.7", {}),
        ("", {}),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}),
        ("127.0.0.1", {"Forwarded": "for=127.0.0.1"}),
    ],
)
def test_without_users_who_comes_from_elsewhere_gets_no_answer(
    client: FlaskClient, address: str, headers: dict[str, str]
) -> None:
    response = client.get(
        "/api/orders", headers=headers, environ_overrides={"REMOTE_ADDR": address}
    )

    problem(response, 401)


def test_from_the_first_user_on_everybody_needs_a_token(
    client: FlaskClient, shop: Shop
) -> None:
    assert client.get("/api/orders").status_code == 200
    headers = user(shop, "alice", "sales")

    wait_until(
        lambda: client.get("/api/orders").status_code == 401,
        "the web has seen that there is a user",
        seconds=5,
    )
    assert client.get("/api/orders", headers=headers).status_code == 200
    with shop.lent() as connection:
        set_disabled(connection, "alice", is_disabled=True)
    assert problem(client.get("/api/orders"), 401)["type"] == "/problems/token-required"
    # Who needs none of it: a probe, and metrics, which this computer's programs ask.
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 200
    assert client.get("/orders").status_code == 401


def test_a_wrong_token_is_told_how_one_asks(client: FlaskClient, shop: Shop) -> None:
    user(shop, "alice", "sales")

    for headers in ({}, WRONG, bearing("x"), bearing(""), {"Authorization": "Bearer"}):
        response = client.get("/api/orders", headers=headers)
        problem(response, 401)
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="recount"'


def test_one_letter_off_is_wrong(client: FlaskClient, shop: Shop) -> None:
    user(shop, "alice", "sales")
    token = token_of(shop, "alice")
    other = token[:-1] + ("A" if token[-1] != "A" else "B")

    assert client.get("/api/orders", headers=bearing(other)).status_code == 401
    assert client.get("/api/orders", headers=bearing(token)).status_code == 200


@pytest.mark.parametrize("how", ["revoked", "expired", "disabled"])
def test_a_token_that_was_taken_back_is_good_no_more(
    client: FlaskClient, shop: Shop, how: str
) -> None:
    token = user(shop, "alice", "sales")["Authorization"].removeprefix("Bearer ")
    assert client.get("/api/orders", headers=bearing(token)).status_code == 200

    with shop.lent() as connection:
        if how == "revoked":
            revoke_token(connection, token.split("_")[1])
        elif how == "disabled":
            set_disabled(connection, "alice", is_disabled=True)
        else:
            connection.execute("UPDATE access.tokens SET expires_at = now()")

    wait_until(
        lambda: client.get("/api/orders", headers=bearing(token)).status_code == 401,
        "the web has seen it",
        seconds=5,
    )


def test_a_token_is_kept_as_its_hash_alone(shop: Shop) -> None:
    user(shop, "alice", "sales")
    token = token_of(shop, "alice")
    with shop.lent() as connection:
        rows = connection.execute("SELECT t::text, hash FROM access.tokens AS t")
        kept = rows.fetchall()

    assert hashlib.sha256(token.encode()).digest() in [row[1] for row in kept]
    assert token.rpartition("_")[2] not in str(kept)


def test_who_sends_is_the_actor_of_the_events(shop: Shop, send: Send) -> None:
    headers = user(shop, "alice", "sales")
    entry = fate_of(shop, send("RegisterCustomer", ALICE, **headers))

    assert (entry.status, entry.principal) == ("succeeded", "alice")
    with shop.lent() as connection:
        row = connection.execute("SELECT metadata ->> 'actor' FROM events").fetchone()
    assert row == ("alice",)


def test_the_same_key_of_somebody_else_is_another_command(
    client: FlaskClient, shop: Shop, send: Send
) -> None:
    alice, bob = user(shop, "alice", "sales"), user(shop, "bob", "sales")
    auditor = user(shop, "audrey", "auditor")
    first = send("RegisterCustomer", ALICE, key="k", **alice)
    again = send("RegisterCustomer", ALICE, key="k", **alice)
    others = send("RegisterCustomer", {**ALICE, "name": "Bob"}, key="k", **bob)

    assert id_of(first) == id_of(again) != id_of(others)
    address = first.headers["Location"]
    assert client.get(address, headers=alice).status_code == 200
    assert client.get(address, headers=auditor).status_code == 200
    unknown = address.replace(str(id_of(first)), str(UUID(int=7)))
    told = problem(client.get(address, headers=bob), 404)["detail"]
    missing = problem(client.get(unknown, headers=bob), 404)["detail"]
    assert told.replace(str(id_of(first)), "…") == missing.replace(
        str(UUID(int=7)), "…"
    )


@pytest.mark.parametrize("how", ["role", "disabled"])
def test_a_right_that_was_taken_away_in_between_counts(
    shop: Shop, send: Send, how: str
) -> None:
    headers = user(shop, "alice", "sales")
    accepted = send("RegisterCustomer", ALICE, **headers)

    with shop.lent() as connection:
        if how == "role":
            set_roles(connection, "alice", ["warehouse"])
        else:
            set_disabled(connection, "alice", is_disabled=True)
    entry = fate_of(shop, accepted)

    assert (entry.status, entry.position) == ("rejected", None)
    assert entry.error == {
        "rule": "NotAllowed",
        "message": "alice may not send RegisterCustomer, or not any more.",
        "figures": {
            "user": "alice",
            "roles": ["warehouse"] if how == "role" else [],
        },
    }


def test_what_is_refused_for_its_sender_leaves_the_others_their_turn(
    shop: Shop, send: Send
) -> None:
    alice, bob = user(shop, "alice", "sales"), user(shop, "bob", "sales")
    change = {**ALICE, "name": "Alice's Lamps"}
    registered = send("RegisterCustomer", ALICE, key="1", **bob)
    hers = send("ChangeCustomerDetails", change, key="2", **alice)
    his = send("ChangeCustomerDetails", change, key="3", **bob)
    with shop.lent() as connection:
        set_roles(connection, "alice", [])
    fates = [fate_of(shop, sent) for sent in (registered, hers, his)]

    assert [fate.status for fate in fates] == ["succeeded", "rejected", "succeeded"]
    assert len({fate.finished_at for fate in fates}) == 1, "one append"


def test_a_token_takes_back_only_what_it_could_have_sent(
    client: FlaskClient, shop: Shop
) -> None:
    alice, bob = user(shop, "alice", "sales"), user(shop, "bob", "sales")
    accepted = client.post(
        "/api/commands",
        json={
            "type": "RegisterCustomer",
            "data": ALICE,
            "not_before": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
        },
        headers={"Idempotency-Key": "1", **alice},
    )

    def take_back(headers: dict[str, str]) -> TestResponse:
        address = accepted.get_json()["links"]["cancel"]
        return client.post(address, json={}, headers=headers)

    for scope in ("read", "orders.cancel"):
        problem(take_back(bearing(token_of(shop, "alice", [scope]))), 403)
    problem(take_back(bob), 404)
    assert take_back(alice).get_json()["status"] == "cancelled"


def test_too_many_wrong_tokens_shut_out_who_is_not_known_yet(
    client: FlaskClient, shop: Shop
) -> None:
    known, new = user(shop, "alice", "sales"), user(shop, "bob", "sales")
    assert client.get("/api/orders", headers=known).status_code == 200
    answers = [
        client.get("/api/orders", headers=bearing(f"wrong-{n}")).status_code
        for n in range(MAX_WRONG + 1)
    ]

    assert answers == [401] * MAX_WRONG + [429]
    refused = client.get("/api/orders", headers=new)
    problem(refused, 429)
    assert refused.headers["Retry-After"] == "60"
    assert client.get("/api/orders", headers=known).status_code == 200


def test_without_the_database_nobody_is_let_in(away: FlaskClient) -> None:
    for headers in ({}, WRONG):
        response = away.get("/api/orders", headers=headers)
        problem(response, 503)
        assert response.headers["Retry-After"] == "5"


def test_the_demo_asks_by_its_token_and_says_that_it_wants_one(
    app: Flask, shop: Shop
) -> None:
    user(shop, "alice", "admin")
    with serving(app) as address:
        without = DemoClient(address)
        with closing(without), pytest.raises(DemoFailed, match="RECOUNT_TOKEN"):
            without.send("Alice", "RegisterCustomer", ALICE)
        with closing(DemoClient(address, token_of(shop, "alice"))) as client:
            assert client.send("Alice", "RegisterCustomer", ALICE).is_new


@pytest.fixture
def of_roles(shop: Shop) -> Iterator[tuple[Shop, Shop]]:
    """The shop as its web and its worker see it, each with the rights of its role."""
    url = shop.settings.database_url
    web = Shop(replace(shop.settings, database_url=as_role(url, "web")))
    worker = Shop(replace(shop.settings, database_url=as_role(url, "worker")))
    yield web, worker
    web.engine.dispose()
    worker.engine.dispose()


def test_web_and_worker_need_no_more_rights_for_it_than_they_have(
    shop: Shop, of_roles: tuple[Shop, Shop]
) -> None:
    web, worker = of_roles
    client = create_app(web).test_client()
    assert client.get("/api/commands/x").status_code == 404
    headers = user(shop, "alice", "sales")
    accepted = client.post(
        "/api/commands",
        json={"type": "RegisterCustomer", "data": ALICE},
        headers={"Idempotency-Key": "1", **headers},
    )

    assert fate_of(worker, accepted).status == "succeeded"

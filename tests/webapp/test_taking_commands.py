"""POST /api/commands: what is accepted, and what stands in its way."""

from typing import NoReturn

import psycopg
import pytest
from flask.testing import FlaskClient

from tests.webapp.visiting import ALICE, CLOCKS, Send, Work, assert_problem
from webapp import api


def test_a_command_is_accepted_with_the_address_of_its_fate(
    client: FlaskClient, send: Send
) -> None:
    response = send("RegisterCustomer", ALICE)

    assert response.status_code == 202
    assert response.json is not None
    assert response.json["status"] == "accepted"
    assert response.headers["Location"] == f"/api/commands/{response.json['id']}"
    assert client.get(response.headers["Location"]).status_code == 200


def test_the_same_key_and_content_is_the_same_command(send: Send, work: Work) -> None:
    first = send("RegisterCustomer", ALICE)
    work(first)
    again = send("RegisterCustomer", ALICE)

    assert again.status_code == 202
    assert again.json == {**(first.json or {}), "status": "succeeded"}


def test_the_same_key_with_other_content_is_refused_with_a_link_to_the_first(
    send: Send,
) -> None:
    first = send("RegisterCustomer", ALICE)
    other = send("RegisterCustomer", {**ALICE, "name": "Bob"})

    problem = assert_problem(other, 422, "key-reused")
    assert problem["first"] == first.headers["Location"]


def test_the_currency_is_the_shops_unless_it_is_said(send: Send) -> None:
    assert send("PlaceOrder", CLOCKS, key="1").status_code == 202
    assert send("PlaceOrder", {**CLOCKS, "currency": "EUR"}, key="2").status_code == 202


def test_a_stale_expected_version_is_rejected(
    client: FlaskClient, send: Send, work: Work
) -> None:
    late = send("RegisterCustomer", ALICE, **{"If-Match": '"3"'})
    work(late)
    command = client.get(late.headers["Location"]).json

    assert command is not None
    assert command["status"] == "rejected"
    assert command["error"]["rule"]
    assert command["error"]["message"]


def test_without_the_database_nothing_is_accepted(away: FlaskClient) -> None:
    body = {"type": "RegisterCustomer", "data": ALICE}
    response = away.post(
        "/api/commands", json=body, headers={"Idempotency-Key": "alice"}
    )

    problem = assert_problem(response, 503, "unavailable")
    assert "not accepted" in problem["detail"]
    assert response.headers["Retry-After"] == "5"


def test_a_connection_that_breaks_leaves_the_outcome_open(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(*_: object, **__: object) -> NoReturn:
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(api, "accept", accept)
    response = send("RegisterCustomer", ALICE)

    problem = assert_problem(response, 503, "outcome-unknown")
    assert "same key" in problem["detail"]
    assert "server closed" not in response.text


def test_a_bug_shows_nothing_of_itself(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("secret")

    monkeypatch.setattr(api, "accept", accept)
    response = send("RegisterCustomer", ALICE)

    assert_problem(response, 500, "internal-error")
    assert "secret" not in response.text

"""POST /api/commands: what is accepted, and what stands in its way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from eventstore.ids import command_id_for
from eventstore.journal.accept import accept
from tasks.shop.wiring import Shop
from tests.support.visiting import ALICE, CLOCKS, Send, Work, assert_problem
from tests.support.waiting import wait_until
from webapp.api import commands


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

    monkeypatch.setattr(commands, "accept", accept)
    response = send("RegisterCustomer", ALICE)

    problem = assert_problem(response, 503, "outcome-unknown")
    assert "same key" in problem["detail"]
    assert "server closed" not in response.text


def count_commands(shop: Shop) -> int:
    with shop.engine.connect() as connection:
        return connection.scalar(sa.text("SELECT count(*) FROM commands")) or 0


def test_a_server_that_goes_down_in_the_middle_leaves_the_outcome_open(
    shop: Shop, send: Send
) -> None:
    """The request is held by a lock that accepting takes, and its session is ended."""
    command_id = command_id_for("local", "first")
    with (
        shop.autocommitting.connect() as somebody,
        ThreadPoolExecutor(1) as thread,
    ):
        key = "public.lock_key(3, hashtextextended(:id, 0))"
        asked = {"id": str(command_id)}
        somebody.execute(sa.text(f"SELECT pg_advisory_lock({key})"), asked)
        sending = thread.submit(send, "RegisterCustomer", {"name": "Alice"})
        terminate = sa.text(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks"
            " WHERE locktype = 'advisory' AND NOT granted AND database ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        wait_until(lambda: somebody.scalar(terminate), "it waits, and is ended")
        cut_off = sending.result(10)
        somebody.execute(sa.text(f"SELECT pg_advisory_unlock({key})"), asked)
    again = send("RegisterCustomer", {"name": "Alice"})

    assert_problem(cut_off, 503, "outcome-unknown")
    assert cut_off.headers["Retry-After"] == "5"
    assert again.status_code == 202
    assert count_commands(shop) == 1


def test_an_answer_that_was_lost_behind_the_commit_is_given_again(
    shop: Shop, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept_and_lose(*arguments: Any, **options: Any) -> NoReturn:
        accept(*arguments, **options)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr("tasks.accept.write_command", accept_and_lose)
        lost = send("RegisterCustomer", ALICE)
    again = send("RegisterCustomer", ALICE)

    assert_problem(lost, 503, "outcome-unknown")
    assert again.status_code == 202
    assert count_commands(shop) == 1


def test_of_what_is_promised_nobody_is_told_that_it_is_not(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def find(*_: object) -> NoReturn:
        raise sa.exc.TimeoutError("no connection is free")

    first = send("RegisterCustomer", ALICE)
    # It is accepted, and then nobody can look what became of it.
    monkeypatch.setattr("eventstore.journal.entries.find", find)
    again = send("RegisterCustomer", ALICE)

    assert again.status_code == 202
    assert again.json == first.json


def test_a_session_that_cannot_write_accepts_nothing_and_is_not_used_again(
    shop: Shop, send: Send
) -> None:
    with shop.autocommitting.connect() as connection:
        connection.execute(
            sa.text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        )

    refused = send("RegisterCustomer", ALICE)
    count = count_commands(shop)
    accepted = send("RegisterCustomer", ALICE)

    assert "not accepted" in assert_problem(refused, 503, "unavailable")["detail"]
    assert count == 0
    assert accepted.status_code == 202


def test_a_bug_shows_nothing_of_itself(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(*_: object, **__: object) -> NoReturn:
        raise RuntimeError("secret")

    monkeypatch.setattr(commands, "accept", accept)
    response = send("RegisterCustomer", ALICE)

    assert_problem(response, 500, "internal-error")
    assert "secret" not in response.text

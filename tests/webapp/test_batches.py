"""POST /api/commands/batch: each line is accepted or refused by itself."""

import json
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.journal.accept import accept_many
from tasks import commands
from tasks.shop.wiring import Shop
from tests.support.visiting import ALICE, CLOCKS, Send, assert_problem

REGISTER = {"type": "RegisterCustomer", "data": ALICE}
PLACE = {"type": "PlaceOrder", "data": CLOCKS}
LINES = "application/x-ndjson"


def post(
    client: FlaskClient, *lines: Any, key: str | None = "file", kind: str = LINES
) -> TestResponse:
    text = "\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines)
    headers = {} if key is None else {"Idempotency-Key": key}
    return client.post(
        "/api/commands/batch", data=text, content_type=kind, headers=headers
    )


def told(response: TestResponse) -> list[dict[str, Any]]:
    assert response.json is not None
    lines: list[dict[str, Any]] = response.json["lines"]
    return lines


def journal(shop: Shop, columns: str = "type") -> list[Any]:
    with shop.engine.connect() as connection:
        rows = connection.execute(
            sa.text(f"SELECT {columns} FROM commands ORDER BY seq")
        )
        return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def test_every_line_that_is_accepted_is_promised(
    client: FlaskClient, shop: Shop
) -> None:
    response = post(client, REGISTER, PLACE, PLACE)
    commands.run(shop, [UUID(line["id"]) for line in told(response)])

    assert response.status_code == 202
    assert journal(shop, "status, stream_id") == [
        ("succeeded", "customer-ALICE"),
        ("succeeded", "order-1"),
        ("succeeded", "order-2"),
    ]


def test_a_line_that_is_refused_keeps_no_other_from_being_accepted(
    client: FlaskClient, shop: Shop
) -> None:
    wrong = {"type": "PlaceOrder", "data": {**CLOCKS, "items": []}}
    response = post(client, REGISTER, "{", "", wrong, {"type": "Pay"}, PLACE)

    assert response.json is not None
    assert (response.json["accepted"], response.json["refused"]) == (2, 3)
    assert [(line["line"], line["status"]) for line in told(response)] == [
        (1, "accepted"),
        (2, "refused"),
        (4, "refused"),
        (5, "refused"),
        (6, "accepted"),
    ]
    assert told(response)[1]["problem"] == "/problems/malformed-json"
    assert told(response)[2]["faults"][0]["field"] == "items"
    assert journal(shop) == ["RegisterCustomer", "PlaceOrder"]


def test_an_array_is_taken_as_lines_are(client: FlaskClient, shop: Shop) -> None:
    text = json.dumps([REGISTER, {}, PLACE])
    response = post(client, text, kind="application/json")

    assert [line["status"] for line in told(response)] == [
        "accepted",
        "refused",
        "accepted",
    ]
    assert journal(shop) == ["RegisterCustomer", "PlaceOrder"]


def test_the_same_batch_again_is_the_same_commands(
    client: FlaskClient, shop: Shop
) -> None:
    first = told(post(client, REGISTER, PLACE))
    commands.run(shop, [UUID(line["id"]) for line in first])
    again = told(post(client, REGISTER, PLACE))

    assert [line["id"] for line in again] == [line["id"] for line in first]
    assert [line["status"] for line in again] == ["succeeded", "succeeded"]
    assert journal(shop, "stream_id") == ["customer-ALICE", "order-1"]


def test_a_line_may_have_a_key_of_its_own(client: FlaskClient, send: Send) -> None:
    single = send("RegisterCustomer", ALICE, key="alice")
    (line,) = told(post(client, {**REGISTER, "key": "alice"}, key=None))

    assert single.json is not None
    assert line["id"] == single.json["id"]


def test_a_line_with_a_key_that_stood_for_something_else_is_refused(
    client: FlaskClient, send: Send
) -> None:
    single = send("RegisterCustomer", ALICE, key="alice")
    other = {"type": "PlaceOrder", "data": CLOCKS, "key": "alice"}
    refused, accepted = told(post(client, other, {**PLACE, "key": "clocks"}))

    assert single.json is not None
    assert (refused["problem"], refused["first"]) == (
        "/problems/key-reused",
        single.json["id"],
    )
    assert accepted["status"] == "accepted"


def test_two_lines_with_one_key_are_one_command(
    client: FlaskClient, shop: Shop
) -> None:
    keyed = {**PLACE, "key": "clocks"}
    other = {"type": "RegisterCustomer", "data": ALICE, "key": "clocks"}
    first, second, third = told(post(client, keyed, keyed, other))

    assert (first["id"], first["is_new"], second["is_new"]) == (
        second["id"],
        True,
        False,
    )
    assert third["problem"] == "/problems/key-reused"
    assert journal(shop, "stream_id") == ["order-1"]


@pytest.mark.parametrize(
    ("key", "line"),
    [(None, {}), ("file", {"key": 7}), ("file", {"key": ""}), ("file", {"key": "é"})],
)
def test_a_line_without_a_usable_key_is_refused(
    client: FlaskClient, key: str | None, line: dict[str, Any]
) -> None:
    response = post(client, {**PLACE, **line}, key=key)

    assert told(response)[0]["problem"] == "/problems/idempotency-key"


def test_nothing_accepted_is_no_promise(client: FlaskClient) -> None:
    assert post(client, "{").status_code == 422


def test_lines_of_one_stream_take_effect_in_their_order(
    client: FlaskClient, shop: Shop
) -> None:
    cancel = {"type": "CancelOrder", "data": {"order_id": 1, "reason": "twice"}}
    pay = {"type": "ReceivePayment", "data": {"order_id": 1, "amount": 2_500}}
    lines = told(post(client, REGISTER, PLACE, pay, cancel))
    commands.run(shop, [UUID(line["id"]) for line in lines])

    assert journal(shop, "type, status") == [
        ("RegisterCustomer", "succeeded"),
        ("PlaceOrder", "succeeded"),
        ("ReceivePayment", "succeeded"),
        ("CancelOrder", "succeeded"),
    ]


def test_what_is_personal_is_closed_in_a_batch_too(
    client: FlaskClient, shop: Shop
) -> None:
    post(
        client, REGISTER, {"type": "RegisterCustomer", "data": {"name": "Bob Nameless"}}
    )

    assert "Bob Nameless" not in str(journal(shop, "data::text"))
    with shop.engine.connect() as connection:
        subjects = connection.scalars(
            sa.text("SELECT subject FROM vault.keys ORDER BY subject")
        ).all()
    assert subjects == ["customer-1", "customer-ALICE"]


def test_a_batch_may_be_larger_than_a_command(client: FlaskClient) -> None:
    response = post(client, *["x" * 100] * 1_000)

    assert response.json is not None
    assert response.json["refused"] == 1_000


def test_a_batch_has_a_limit_of_its_own(client: FlaskClient) -> None:
    response = post(client, "x" * (16 * 1024 * 1024 + 1))

    assert_problem(response, 413, "too-large")


@pytest.mark.parametrize("kind", [LINES, "application/json"])
def test_a_batch_of_countless_lines_is_refused_as_a_whole(
    client: FlaskClient, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.api.batch.MAX_LINES", 3)
    body = "[1, 1, 1, 1]" if kind == "application/json" else "1\n1\n1\n1"

    problem = assert_problem(post(client, body, kind=kind), 413, "too-large")
    assert "3 lines" in problem["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status", "problem"),
    [
        ("", LINES, 400, "malformed-json"),
        ("{}", "text/plain", 415, "unsupported-media-type"),
        ("{}", "application/json", 400, "bad-request"),
        ("[{}", "application/json", 400, "malformed-json"),
        ("[" * 18, "application/json", 400, "malformed-json"),
    ],
)
def test_what_is_no_batch_is_refused_as_a_whole(
    client: FlaskClient, body: str, kind: str, status: int, problem: str
) -> None:
    assert_problem(post(client, body, kind=kind), status, problem)


def test_without_the_database_no_line_is_accepted(away: FlaskClient) -> None:
    assert_problem(post(away, PLACE), 503, "unavailable")


def test_a_database_that_goes_away_half_way_leaves_the_rest_open(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [accept_many]

    def accept_once(*arguments: Any) -> Any:
        if not answers:
            raise psycopg.errors.LockNotAvailable
        return answers.pop()(*arguments)

    monkeypatch.setattr("webapp.api.batch.IN_A_SET", 2)
    with monkeypatch.context() as away:
        away.setattr("tasks.accept.write_commands", accept_once)
        response = post(client, REGISTER, PLACE, PLACE)
    again = post(client, REGISTER, PLACE, PLACE)

    problem = assert_problem(response, 503, "outcome-unknown")
    assert "accepted already" in problem["detail"]
    assert [line["is_new"] for line in told(again)] == [False, False, True]
    assert journal(shop, "stream_id") == ["customer-ALICE", "order-1", "order-2"]

"""`POST /api/commands/try`: what a command would cause, for who may send it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.users import set_roles
from tasks.shop.permissions import COMMANDS, ROLES
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, cancel, pay, place
from tests.support.unwritten import contents
from tests.support.users import bearing, token_of, user
from tests.support.visiting import ALICE, CLOCKS, assert_problem
from tests.webapp.test_undecided import SHAPES, forge

PAYMENT = {"order_id": 1, "amount": 899}
Try = Callable[..., TestResponse]


@pytest.fixture
def post(client: FlaskClient) -> Try:
    """Post a command to be tried; no key is needed."""

    def post(
        name: str, data: Any, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        return client.post(
            "/api/commands/try",
            json={"type": name, "data": data, **more},
            headers=headers or {},
        )

    return post


@pytest.fixture
def answer(post: Try) -> Callable[..., dict[str, Any]]:
    def answer(name: str, data: Any, **more: Any) -> dict[str, Any]:
        response = post(name, data, **more)
        assert response.status_code == 200, response.text
        body: dict[str, Any] = response.get_json()
        return body

    return answer


Answer = Callable[..., dict[str, Any]]


def test_it_answers_with_events_and_the_row_before_and_after(
    shop: Shop, answer: Answer, do: Do
) -> None:
    do(alice, place)
    with shop.lent() as connection:
        before = contents(connection)
    found = answer("ReceivePayment", PAYMENT)
    row = found.pop("row")
    with shop.lent() as connection:
        assert contents(connection) == before

    assert found == {
        "type": "ReceivePayment",
        "status": "succeeded",
        "error": None,
        "stream_id": "order-1",
        "version": 1,
        "waiting": 0,
        "events": [
            {
                "type": "PaymentReceived",
                "schema": "2.0",
                "version": 2,
                "data": {"payment": 1, "amount": 899},
            }
        ],
        "follows": [],
    }
    assert (row["read_model"], row["is_old"]) == ("order_details", False)
    assert (row["before"]["due"], row["after"]["due"]) == (10_899, 10_000)
    assert set(row["changed"]) == {"paid", "due", "payments", "paid_at"}


def test_a_refusal_is_an_answer(answer: Answer, do: Do) -> None:
    do(alice, place)
    found = answer("ReceivePayment", {"order_id": 1, "amount": 999_999})

    assert (found["status"], found["events"]) == ("rejected", [])
    assert found["error"]["rule"] == "PaymentTooHigh"
    assert found["error"]["figures"]["due"] == 10_899
    assert found["row"]["before"] == found["row"]["after"]


def test_what_follows_is_told(answer: Answer, do: Do) -> None:
    do(alice, place, pay, cancel)
    found = answer("RefundPayment", {"order_id": 1, "amount": 100})

    assert found["follows"] == [
        {
            "type": "DepositRefund",
            "process": "refunds",
            "not_before": None,
            "stream_id": "account-ALICE",
        }
    ]


def test_what_gets_a_number_has_none_yet(answer: Answer, do: Do) -> None:
    do(alice)
    found = answer("PlaceOrder", CLOCKS)

    assert (found["stream_id"], found["version"]) == (None, 0)
    assert found["row"]["before"] is None
    assert found["row"]["after"]["order_id"] is None
    assert found["row"]["after"]["total"] == 2_500


@pytest.mark.parametrize("by", ["If-Match", "expected_version"])
def test_the_expected_version_counts(answer: Answer, do: Do, by: str) -> None:
    do(alice, place)
    more: dict[str, Any] = {by: 7} if by != "If-Match" else {"headers": {by: '"7"'}}
    found = answer("ReceivePayment", PAYMENT, **more)

    assert found["error"]["rule"] == "StaleVersion"


def test_it_is_asked_as_of_now_whenever_it_would_run(
    post: Try, answer: Answer, do: Do
) -> None:
    do(alice, place)
    later = datetime.now(UTC) + timedelta(days=1)
    found = answer("ReceivePayment", PAYMENT, not_before=later.isoformat())
    past = post("ReceivePayment", PAYMENT, not_before="2001-01-01T00:00:00Z")

    assert found["status"] == "succeeded"
    assert_problem(past, 422, "invalid-input")


def test_faults_are_told_as_when_it_is_sent(post: Try) -> None:
    body = assert_problem(post("RegisterCustomer", {}), 422, "invalid-input")
    internal = post("CancelUnpaidOrder", {"order_id": 1, "days": 1})

    assert body["faults"] == [{"field": "name", "problem": "is missing"}]
    assert_problem(internal, 422, "invalid-input")


@pytest.mark.parametrize("shape", SHAPES)
def test_what_cannot_be_decided_is_a_problem(
    shop: Shop, post: Try, do: Do, shape: str
) -> None:
    do(alice, place)
    forge(shop, "order-1", *SHAPES[shape])

    assert_problem(post("ReceivePayment", PAYMENT), 503, "undecidable")


# Who may learn what.


def test_nobody_learns_anything_of_a_command_that_they_may_not_send(
    shop: Shop, post: Try, do: Do
) -> None:
    """Whatever there is, the answer is the same, and as the command's own."""
    do(alice, place)
    headers = user(shop, "w", "warehouse")
    answers = {
        (response := post("ReceivePayment", data, headers)).status_code: response.text
        for data in (PAYMENT, {"order_id": 1, "amount": 10**9}, {"order_id": 99}, {})
    }

    assert list(answers) == [403]
    assert "w may not send ReceivePayment by this token." in answers[403]


def test_who_may_not_read_orders_sees_no_row_and_nothing_of_events(
    shop: Shop, answer: Answer, do: Do
) -> None:
    do(alice, place, pay, cancel)
    user(shop, "c", "cashier")
    headers = bearing(token_of(shop, "c", ["orders.refund"]))
    found = answer("RefundPayment", {"order_id": 1, "amount": 1}, headers=headers)

    assert found["row"] is None
    assert found["events"] == [
        {"type": "PaymentRefunded", "schema": "1.0", "version": 4}
    ]
    # Whose account it goes to is a customer's number.
    assert [one["stream_id"] for one in found["follows"]] == [None]
    assert "ALICE" not in str(found)


def test_what_is_personal_in_events_is_for_who_may_read_it(
    shop: Shop, answer: Answer
) -> None:
    user(shop, "a", "admin")
    data = {**ALICE, "email": "alice@example.com"}
    found = {
        name: answer(
            "RegisterCustomer",
            data,
            headers=bearing(token_of(shop, "a", ["customers.write", *scopes])),
        )
        for name, scopes in {
            "all": ["events.read", "personal"],
            "masked": ["events.read"],
            "nothing": [],
        }.items()
    }

    assert found["all"]["events"][0]["data"]["email"] == "alice@example.com"
    assert found["masked"]["events"][0]["data"]["name"] == "(masked)"
    assert "alice@example.com" not in str(found["masked"])
    assert "data" not in found["nothing"]["events"][0]


def test_a_role_may_try_what_it_may_send(shop: Shop, post: Try) -> None:
    user(shop, "somebody")
    for role in ROLES:
        with shop.lent() as connection:
            set_roles(connection, "somebody", [role])
        headers = bearing(token_of(shop, "somebody"))
        answers = {
            name: post(name, {"nothing": "of it"}, headers).status_code
            for name in shop.commands
        }

        assert answers == {
            name: 422 if COMMANDS[name] in ROLES[role] else 403
            for name in shop.commands
        }


def test_a_failure_names_nothing_of_the_program(
    shop: Shop, answer: Answer, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place)

    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("secret")

    deciders = [
        replace(one, decide=fail) if one.category == "order" else one
        for one in shop.deciders.all
    ]
    monkeypatch.setitem(vars(shop), "deciders", replace(shop.deciders, all=deciders))
    found = answer("ReceivePayment", PAYMENT)

    assert found["status"] == "failed"
    assert "secret" not in str(found)

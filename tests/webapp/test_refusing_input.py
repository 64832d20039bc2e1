"""POST /api/commands: input that is no command is refused, and told why."""

from io import BytesIO

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.visiting import ALICE, CLOCKS, Send, assert_problem


@pytest.fixture
def client(away: FlaskClient) -> FlaskClient:
    """What is refused here gets as far as the question who asks, and no further."""
    away.application.extensions["remembered"].no_users_at = float("inf")
    return away


def fault_of(response: TestResponse, field: str) -> str:
    """Return what *response* says of *field*, which must be its only fault there."""
    assert response.status_code == 422, response.text
    (problem,) = [
        fault["problem"]
        for fault in response.json["faults"]  # type: ignore[index]  # it is an object
        if fault["field"] == field
    ]
    return str(problem)


def post(client: FlaskClient, body: bytes, **headers: str) -> TestResponse:
    given = {"Idempotency-Key": "k", "Content-Type": "application/json", **headers}
    return client.post("/api/commands", data=body, headers=given)


@pytest.mark.parametrize("key", [None, "", "   ", "k" * 201, "a\tb", "caf\xe9"])
def test_a_command_without_a_usable_key_is_refused(
    client: FlaskClient, key: str | None
) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    body = {"type": "RegisterCustomer", "data": ALICE}
    response = client.post("/api/commands", json=body, headers=headers)

    assert_problem(response, 400, "idempotency-key")


@pytest.mark.parametrize("currency", ["USD", "eur", "", None, 7, ["EUR"]])
def test_another_currency_is_a_fault(send: Send, currency: object) -> None:
    response = send("PlaceOrder", {**CLOCKS, "currency": currency})

    assert "must be EUR" in fault_of(response, "currency")


def test_every_fault_is_told_at_once_by_field(send: Send) -> None:
    items = [{"product": "", "quantity": 0, "unit_price": 12.5, "colour": "red"}]
    response = send("PlaceOrder", {"items": items, "adress": {}})

    problem = assert_problem(response, 422, "invalid-input")
    assert {fault["field"] for fault in problem["faults"]} == {
        "customer_id",
        "address",
        "adress",
        "items.0.product",
        "items.0.quantity",
        "items.0.unit_price",
        "items.0.colour",
    }
    assert "did you mean address?" in fault_of(response, "adress")


@pytest.mark.parametrize("price", [12.5, 0, -1, 10**12, "12", True, None])
def test_a_price_that_is_none_is_a_fault(send: Send, price: object) -> None:
    item = {"product": "RETRO-CLOCK", "quantity": 1, "unit_price": price}
    response = send("PlaceOrder", {**CLOCKS, "items": [item]})

    assert fault_of(response, "items.0.unit_price")


def test_a_number_beyond_all_floats_is_no_price(client: FlaskClient) -> None:
    body = b'{"type": "CancelOrder", "data": {"order_id": 1e400, "reason": "late"}}'

    assert "whole number" in fault_of(post(client, body), "order_id")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_half_characters_and_nul_are_faults(send: Send, text: str) -> None:
    assert "NUL" in fault_of(send("RegisterCustomer", {"name": text}), "name")


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "X" * 60_000])
def test_odd_names_and_types_are_faults(client: FlaskClient, text: str) -> None:
    unknown_field = client.post(
        "/api/commands",
        json={"type": "RegisterCustomer", "data": {**ALICE, text: 1}},
        headers={"Idempotency-Key": "k"},
    )
    unknown_type = client.post(
        "/api/commands",
        json={"type": text, "data": {}},
        headers={"Idempotency-Key": "k"},
    )

    assert fault_of(unknown_field, text) == "is unknown"
    assert "is unknown" in fault_of(unknown_type, "type")


def test_an_unknown_type_is_told_with_the_known_ones(send: Send) -> None:
    told = fault_of(send("PlaceOrdr", CLOCKS), "type")

    assert "did you mean PlaceOrder?" in told
    assert "the commands are AddNote, AddProduct, CancelOrder" in told


@pytest.mark.parametrize("body", [b"[]", b"7", b"null", b'"text"'])
def test_the_body_must_be_an_object(client: FlaskClient, body: bytes) -> None:
    assert fault_of(post(client, body), "body")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "type"),
        (b'{"type": 7, "data": {}}', "type"),
        (b'{"type": ["CancelOrder"], "data": {}}', "type"),
        (b'{"type": "CancelOrder"}', "data"),
        (b'{"type": "CancelOrder", "data": []}', "body"),
        (b'{"type": "CancelOrder", "data": null}', "body"),
        (b'{"type": "CancelOrder", "data": {}, "dat": 1}', "dat"),
        (b'{"type": "CancelOrder", "data": {}, "expected_version": -1}', None),
        (b'{"type": "CancelOrder", "data": {}, "expected_version": true}', None),
        (b'{"type": "CancelOrder", "data": {}, "expected_version": 2147483648}', None),
        (b'{"type": "CancelOrder", "data": {}, "expected_version": "3"}', None),
    ],
)
def test_faults_of_the_envelope_are_told_by_field(
    client: FlaskClient, body: bytes, field: str | None
) -> None:
    assert fault_of(post(client, body), field or "expected_version")


@pytest.mark.parametrize("version", ["x", "-1", "*", 'W/"3"', "9999999999", ""])
def test_an_unusable_if_match_is_refused(send: Send, version: str) -> None:
    response = send("RegisterCustomer", ALICE, **{"If-Match": version})

    assert_problem(response, 400, "bad-request")


def test_an_empty_body_is_refused(client: FlaskClient) -> None:
    assert_problem(post(client, b""), 400, "malformed-json")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_what_a_foreign_page_can_send_is_refused(
    client: FlaskClient, kind: str
) -> None:
    response = post(client, b'{"type": "CancelOrder"}', **{"Content-Type": kind})

    assert_problem(response, 415, "unsupported-media-type")


def test_a_body_over_the_limit_is_refused(client: FlaskClient) -> None:
    response = post(client, b'{"type": "' + b"x" * 64 * 1024 + b'"}')

    assert_problem(response, 413, "too-large")


def test_a_body_of_just_the_limit_is_read(client: FlaskClient) -> None:
    response = client.post(
        "/api/commands",
        data=b"{}".ljust(64 * 1024),
        headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        # As gunicorn has it, which knows the end of a body.
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert_problem(response, 422, "invalid-input")


def test_a_body_in_chunks_over_the_limit_is_refused_and_not_cut_off(
    client: FlaskClient,
) -> None:
    body = b'{"type": "RegisterCustomer", "data": {"name": "Alice"}}' + b" " * 65_536
    response = client.post(
        "/api/commands",
        input_stream=BytesIO(body),
        headers={"Idempotency-Key": "k", "Content-Type": "application/json"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert_problem(response, 413, "too-large")


def test_thousands_of_faults_are_counted_and_not_all_listed(send: Send) -> None:
    problem = send("PlaceOrder", {**CLOCKS, "items": [1] * 10_000}).get_json(force=True)

    assert problem["detail"].startswith("At least 1,000 fields are wrong.")
    assert len(problem["faults"]) == 100


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/commands/7"])
def test_an_unknown_address_is_a_problem(client: FlaskClient, path: str) -> None:
    assert_problem(client.get(path), 404, "not-found")


def test_another_method_is_a_problem_that_names_the_right_one(
    client: FlaskClient,
) -> None:
    response = client.delete("/api/commands")

    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == "GET, HEAD, OPTIONS, POST"

"""What comes twice and decides something: equal values are one, others are refused."""

import ast
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.databases import ROOT
from tests.support.settings import SECRET_KEY
from tests.support.visiting import (
    Browser,
    Send,
    Work,
    assert_problem,
    hidden_of,
)
from webapp.local_login import session_cookie
from webapp.repeated import LISTS, PRESENT, SINGLE, variable_of

SESSION = session_cookie(SECRET_KEY)
OPEN = {"type": "OpenAccount", "data": {"account_id": "till"}}
PAY_IN = {"type": "Deposit", "data": {"account_id": "till", "amount": 500}}


def post(
    client: FlaskClient, body: object = OPEN, *headers: tuple[str, str]
) -> TestResponse:
    return client.post("/api/commands", json=body, headers=list(headers))


def key(*values: str) -> list[tuple[str, str]]:
    return [("Idempotency-Key", value) for value in values]


def test_a_key_that_a_proxy_has_doubled_is_the_same_key(
    client: FlaskClient, send: Send, work: Work
) -> None:
    work(send("OpenAccount", OPEN["data"], key="open"))
    first = post(client, PAY_IN, *key("honest", "honest"))
    again = post(client, PAY_IN, *key("honest"))

    work(first, again)
    assert first.get_json()["id"] == again.get_json()["id"]
    assert client.get("/api/accounts/till").get_json()["balance"] == 500


@pytest.mark.parametrize("joined", ["k,k", "k, k", "k ,k", "k,k,k"])
def test_a_key_that_a_proxy_has_joined_is_one(client: FlaskClient, joined: str) -> None:
    first = post(client, OPEN, *key("k"))
    again = post(client, OPEN, *key(joined))

    assert again.get_json()["id"] == first.get_json()["id"]


def without_jar(client: FlaskClient) -> FlaskClient:
    """Return a client that sends the cookies of its headers, and no others."""
    return client.application.test_client(use_cookies=False)


DIFFERENT = [
    ("Idempotency-Key", "a", "b"),
    ("Idempotency-Key", "a", ""),
    ("Idempotency-Key", "", "a"),
    ("If-Match", '"1"', '"2"'),
    ("If-Match", '"1"', ""),
    ("Authorization", "Bearer a", "Bearer b"),
    ("Authorization", "Bearer a", ""),
    ("Content-Type", "application/json", "text/plain"),
    ("Host", "localhost", "127.0.0.1"),
    ("Origin", "http://localhost", "http://evil.example"),
    ("Sec-Fetch-Site", "same-origin", "cross-site"),
    ("Cookie", f"{SESSION}=a", f"{SESSION}=b"),
    ("X-CSRFToken", "a", "b"),
]


@pytest.mark.parametrize(("name", "one", "other"), DIFFERENT)
@pytest.mark.parametrize("comma", [",", ", "])
def test_a_header_with_two_values_is_refused_by_its_name(
    away: FlaskClient, name: str, one: str, other: str, comma: str
) -> None:
    headers = {"Idempotency-Key": "k", name: f"{one}{comma}{other}"}

    answer = without_jar(away).post("/api/commands", json=OPEN, headers=headers)

    problem = assert_problem(answer, 400, "bad-request")
    assert f"The header {name} " in problem["detail"]


EQUAL = [
    ("If-Match", '"0"'),
    ("Content-Type", "application/json"),
    ("Content-Length", "58"),
    ("Host", "localhost:5000"),
    ("Origin", "http://localhost:5000"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Cookie", f"{SESSION}=a"),
]


def test_equal_values_of_any_header_are_one(client: FlaskClient) -> None:
    body = b'{"type": "OpenAccount", "data": {"account_id": "till"}}   '
    for name, value in EQUAL:
        answer = without_jar(client).post(
            "/api/commands",
            data=body,
            content_type="application/json",
            headers={"Idempotency-Key": name, "Host": "localhost:5000"},
            environ_overrides={variable_of(name): f"{value}, {value}"},
        )

        assert answer.status_code == 202, (name, answer.text)


def test_other_cookies_may_have_commas(client: FlaskClient) -> None:
    headers = {"Cookie": f"theirs=a,b; {SESSION}=x; other=1,2"}

    assert without_jar(client).get("/orders", headers=headers).status_code == 200


def test_a_session_lives_where_a_proxy_has_doubled_its_cookie(
    client: FlaskClient,
) -> None:
    page = client.get("/customers/new").text
    cookie = client.get_cookie(SESSION)
    assert cookie is not None
    pair = f"{SESSION}={cookie.value}"

    sent = without_jar(client).post(
        "/customers/new",
        data={**hidden_of(page), "name": "Alice"},
        headers={"Cookie": f"{pair},{pair}"},
    )

    assert sent.status_code == 303


def test_an_address_with_a_comma_may_have_led_here(client: FlaskClient) -> None:
    referer = {"Referer": "http://localhost/orders?search=Smith,John"}

    assert client.get("/orders", headers=referer).status_code == 200


def headers_read() -> Iterator[str]:
    """Yield the names of all headers that the code of the web asks for."""
    for path in sorted((ROOT / "webapp").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(attr="headers", value=ast.Name("request"))
                    ),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    yield name
                case ast.Compare(
                    left=ast.Constant(value=str(name)),
                    comparators=[
                        ast.Attribute(attr="headers", value=ast.Name("request"))
                    ],
                ):
                    yield name
    for path in sorted((ROOT / "webapp" / "templates").rglob("*.html")):
        yield from re.findall(r'request\.headers\["([^"]+)"\]', path.read_text())


def test_each_header_that_is_read_is_read_once() -> None:
    names = set(headers_read())

    assert {"Idempotency-Key", "Host", "HX-Request"} <= names
    assert names <= {*SINGLE, *PRESENT, *LISTS}


@pytest.mark.parametrize(
    "path",
    [
        "/orders?status=paid&status=shipped",
        "/orders?q=a&q=",
        "/customers?sort=name&sort=-name",
        "/orders/new?customer=A&customer=B",
    ],
)
def test_a_parameter_with_two_values_is_refused(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 400
    assert "more than once" in answer.text


def test_a_parameter_of_a_page_with_equal_values_is_one(client: FlaskClient) -> None:
    assert client.get("/orders?status=paid&status=paid").status_code == 200


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["Alice", "Bob"]),
        ("key", ["one", "other"]),
        ("csrf_token", ["mine", "theirs"]),
        ("email", ["", "a@example.org"]),
    ],
)
def test_a_field_with_two_values_is_refused(
    away: FlaskClient, field: str, values: list[str]
) -> None:
    browser = Browser(away)
    hidden = hidden_of(browser.see("/customers/new"))

    answer = browser.client.post(
        "/customers/new", data={**hidden, "name": "Alice", field: values}
    )

    assert answer.status_code == 400
    assert f"The field &#39;{field}&#39; came more than once" in answer.text


def test_a_field_with_equal_values_is_one(browser: Browser) -> None:
    hidden = hidden_of(browser.see("/customers/new"))
    doubled = {name: [value, value] for name, value in hidden.items()}

    answer = browser.client.post(
        "/customers/new", data={**doubled, "name": ["Alice", "Alice"]}
    )

    assert answer.status_code == 303


def test_a_member_of_a_json_object_cannot_come_twice(client: FlaskClient) -> None:
    body = b'{"type": "OpenAccount", "data": {}, "data": {"account_id": "till"}}'
    answer = client.post(
        "/api/commands",
        data=body,
        content_type="application/json",
        headers={"Idempotency-Key": "k"},
    )

    assert (
        "'data' is given twice"
        in assert_problem(answer, 400, "malformed-json")["detail"]
    )


def test_the_key_of_a_batch_is_one_as_well(client: FlaskClient) -> None:
    line = (
        b'{"type": "RegisterCustomer", "data": {"customer_id": "ALICE", "name": "A"}}'
    )
    answers = [
        client.post(
            "/api/commands/batch",
            data=line,
            content_type="application/x-ndjson",
            headers={"Idempotency-Key": value},
        )
        for value in ("night", "night, night")
    ]

    first, again = (answer.get_json()["lines"][0]["id"] for answer in answers)
    assert first == again


def test_a_page_for_what_is_no_host_is_refused_in_plain_words(
    client: FlaskClient,
) -> None:
    """Also where a header came twice, which is refused before the host is."""
    answer = client.post(
        "/orders/2/delivery",
        headers={"Host": "x" * 100, "Idempotency-Key": "a, b"},
    )

    assert answer.status_code == 400
    assert "localhost" in answer.get_data(as_text=True)

"""GET in the API: the fate of a command, and the orders."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.webapp.visiting import CLOCKS, Send, Work


def ask(client: FlaskClient, path: str) -> dict[str, Any]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.get_json()
    return body


def place(send: Send, work: Work, count: int) -> list[TestResponse]:
    placed = [send("PlaceOrder", CLOCKS, key=f"order {n}") for n in range(count)]
    work(*placed)
    return placed


def test_a_command_that_succeeded_says_where_its_events_are(
    client: FlaskClient, send: Send, work: Work, alice: str
) -> None:
    (placed,) = place(send, work, 1)
    command = ask(client, placed.headers["Location"])

    assert command["status"] == "succeeded"
    assert command["stream_id"] == "order-1"
    assert command["position"] > 0
    assert command["finished_at"] >= command["accepted_at"]
    assert command["error"] is None


def test_a_rejected_command_names_the_rule_and_its_figures(
    client: FlaskClient, send: Send, work: Work
) -> None:
    (placed,) = place(send, work, 1)
    command = ask(client, placed.headers["Location"])

    assert command["status"] == "rejected"
    assert command["error"] == {
        "rule": "UnknownCustomer",
        "message": "There is no customer ALICE.",
        "figures": {"customer_id": "ALICE"},
    }


def test_an_unknown_command_is_not_found(client: FlaskClient) -> None:
    response = client.get(f"/api/commands/{uuid4()}")

    assert response.status_code == 404
    assert response.content_type == "application/problem+json"


def test_an_order_has_all_that_the_list_shows(
    client: FlaskClient, send: Send, work: Work, alice: str
) -> None:
    place(send, work, 1)
    (order,) = ask(client, "/api/orders")["orders"]

    assert order.pop("created_at").endswith("+00:00")
    assert order == {
        "order_id": 1,
        "customer_id": "ALICE",
        "customer_name": "Alice's Clocks",
        "customer_email": None,
        "total": 2500,
        "currency": "EUR",
        "status": "pending",
        "item_count": 1,
        "tracking_number": None,
    }


def test_the_orders_come_newest_first_and_page_by_page(
    client: FlaskClient, send: Send, work: Work, alice: str
) -> None:
    place(send, work, 5)
    seen = []
    following = "/api/orders?limit=2"
    while following:
        page = ask(client, following)
        seen += [order["order_id"] for order in page["orders"]]
        following = page["next"]

    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1e9",
        "limit=201",
        "limit=",
        "limit=%D9%A3",
        "before=0",
        "before=x",
        "before=99999999999999999999",
    ],
)
def test_garbage_in_the_query_is_refused(client: FlaskClient, query: str) -> None:
    response = client.get(f"/api/orders?{query}")

    assert response.status_code == 400
    assert response.content_type == "application/problem+json"


def test_without_the_database_the_orders_are_away(away: FlaskClient) -> None:
    response = away.get("/api/orders")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"

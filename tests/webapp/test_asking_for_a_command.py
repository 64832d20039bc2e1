"""GET /api/commands/…: what became of a command, and what it caused."""

from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.visiting import ALICE, CLOCKS, Send, Work, ask


def place(send: Send, work: Work) -> TestResponse:
    placed = send("PlaceOrder", CLOCKS, key="order")
    work(placed)
    return placed


def test_a_command_that_succeeded_says_where_its_events_are(
    client: FlaskClient, send: Send, work: Work, alice: str
) -> None:
    placed = place(send, work)
    command = ask(client, placed.headers["Location"])

    assert command["status"] == "succeeded"
    assert command["stream_id"] == "order-1"
    assert command["position"] > 0
    assert command["finished_at"] >= command["accepted_at"]
    assert command["error"] is None


def test_a_rejected_command_names_the_rule_and_its_figures(
    client: FlaskClient, send: Send, work: Work
) -> None:
    placed = place(send, work)
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


def test_a_command_leads_to_what_it_has_caused(
    client: FlaskClient, send: Send, work: Work, alice: str
) -> None:
    placed = place(send, work)
    command = ask(client, placed.headers["Location"])
    position = command["position"]

    assert command["events"] == [
        {"type": "OrderCreated", "version": 1, "position": position}
    ]
    assert command["links"]["order"] == f"/api/orders/1?min_position={position}"
    assert ask(client, command["links"]["order"])["order_id"] == 1


def test_a_command_finds_its_own_events_alone_in_a_long_stream(
    client: FlaskClient, send: Send, work: Work, alice: str
) -> None:
    changes = [
        send("ChangeCustomerDetails", {**ALICE, "name": f"Alice {n}"}, key=f"{n}")
        for n in range(5)
    ]
    work(*changes)
    third = ask(client, changes[2].headers["Location"])

    assert [event["version"] for event in third["events"]] == [4]
    assert third["links"]["customer"].startswith("/api/customers/ALICE?")


def test_a_command_that_was_refused_has_caused_nothing(
    client: FlaskClient, send: Send, work: Work
) -> None:
    placed = place(send, work)
    command = ask(client, placed.headers["Location"])

    assert command["events"] == []
    assert set(command["links"]) == {"self", "page"}

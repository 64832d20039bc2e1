"""Who visits the web in these tests, and what they bring."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Send = Callable[..., TestResponse]
Work = Callable[..., None]
Place = Callable[..., int]

ALICE: dict[str, Any] = {"customer_id": "ALICE", "name": "Alice's Clocks"}
BOB: dict[str, Any] = {
    "customer_id": "BOB",
    "name": "Bob & Söhne",
    "email": "bob@example.com",
    "phone": "0621-08460",
    "address": {"street": "Forsterstr. 57", "city": "Mannheim", "country": "Germany"},
}
CLOCKS: dict[str, Any] = {
    "customer_id": "ALICE",
    "items": [{"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 1250}],
    "address": {"street": "Obere Str. 57", "city": "Berlin", "country": "Germany"},
}
TYPED_CLOCKS = {
    "customer_id": "ALICE",
    "items.0.product": "RETRO-CLOCK",
    "items.0.own": "on",
    "items.0.quantity": "2",
    "items.0.unit_price": "12.50",
    "address.street": "Obere Str. 57",
    "address.city": "Berlin",
    "address.country": "Germany",
}


PAID = ("ReceivePayment", {"amount": 2500})
SHIPPED = ("ShipOrder", {"tracking_no": "1Z999"})
# When it arrived is filled in as it is done: it cannot be before the order was placed.
DELIVERED: tuple[str, dict[str, Any]] = ("ConfirmDelivery", {})
CANCELLED = ("CancelOrder", {"reason": "Ordered twice"})
HOW: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "pending": [],
    "paid": [PAID],
    "shipped": [PAID, SHIPPED],
    "delivered": [PAID, SHIPPED, DELIVERED],
    "cancelled": [CANCELLED],
}
"""What is done with an order that is placed until it has a status."""


def in_days(days: int) -> date:
    """Return the day so many days from today, where the shop of the tests is."""
    return datetime.now(UTC).date() + timedelta(days=days)


def written(day: date) -> str:
    """Return *day* as pages write it."""
    return f"{day.day} {day:%b %Y}"


class Browser:
    """Somebody with a browser: what they post is what the page had, and their own."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def see(self, path: str) -> str:
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return response.text

    def send(self, path: str, *, form: str = "", **typed: str) -> TestResponse:
        """Post what the page at *path*, or at *form*, has unseen, and what is typed."""
        return self.client.post(
            path, data={**hidden_of(self.see(form or path)), **typed}
        )

    def fate(self, response: TestResponse) -> str:
        assert response.status_code == 303, response.text
        return self.see(response.headers["Location"])


def hidden_of(page: str) -> dict[str, str]:
    """Return the hidden fields that every form has."""
    found = re.findall(
        r'type="hidden" name="(csrf_token|key|version)" value="([^"]+)"', page
    )
    return {name: unescape(value) for name, value in found}


def fields_of(page: str) -> dict[str, list[str]]:
    """Return the hidden fields of the form on *page*, some of them several times."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(
        r'type="hidden" name="([^"]+)" value="([^"]*)"', page
    ):
        found.setdefault(name, []).append(value)
    return found


def value_of(page: str, name: str) -> str | None:
    """Return what the field *name* of *page* holds, or None where there is none."""
    found = re.search(
        rf'<input id="[^"]*" name="{re.escape(name)}"[^>]*? value="([^"]*)"', page
    )
    return unescape(found[1]) if found else None


def assert_problem(response: TestResponse, status: int, kind: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.get_json(force=True)
    assert body["type"] == f"/problems/{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body


def ask(client: FlaskClient, path: str) -> dict[str, Any]:
    """Return the JSON that is at *path*."""
    response = client.get(path)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.get_json()
    return body


def told_on(page: TestResponse) -> str:
    """Return what a page says before its form, in a box, without the tags."""
    found = re.search(r'<(section|div) class="told .*?</\1>', page.text, re.DOTALL)
    assert found, page.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", found[0])).split())

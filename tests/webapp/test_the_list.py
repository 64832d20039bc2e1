"""The page of orders."""

import pytest
from flask.testing import FlaskClient

from tests.webapp.visiting import TYPED_CLOCKS, Browser, Work


def test_the_way_in_is_the_list(client: FlaskClient) -> None:
    assert client.get("/").headers["Location"] == "/orders"


def test_an_empty_list_says_what_to_do(browser: Browser) -> None:
    page = browser.see("/orders")

    assert "There are no orders yet." in page
    assert "/customers/new" in page


def test_a_pending_order_can_be_cancelled_from_the_list(
    browser: Browser, work: Work, alice: str
) -> None:
    work(browser.send("/orders/new", **TYPED_CLOCKS))

    assert "/orders/1/cancel" in browser.see("/orders")


def test_a_name_is_shown_as_text(browser: Browser, work: Work) -> None:
    work(browser.send("/customers/new", name="<script>alert(1)</script>"))
    work(browser.send("/orders/new", **{**TYPED_CLOCKS, "customer_id": "1"}))
    page = browser.see("/orders")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_older_orders_are_a_page_further(
    browser: Browser, work: Work, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.orders.A_PAGE", 1)
    work(
        browser.send("/orders/new", **TYPED_CLOCKS),
        browser.send("/orders/new", **TYPED_CLOCKS),
    )

    assert "/orders?before=2" in browser.see("/orders")
    assert "Newest orders" in browser.see("/orders?before=2")


def test_garbage_in_the_address_is_a_page_that_says_so(client: FlaskClient) -> None:
    page = client.get("/orders?before=x")

    assert page.status_code == 400
    assert "before must be a whole number" in page.text


def test_without_the_database_the_page_says_so(away: FlaskClient) -> None:
    page = away.get("/orders")

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert "database is away" in page.text

"""The page of a command's fate: it becomes the result by itself."""

from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.visiting import (
    CLOCKS,
    TYPED_CLOCKS,
    Browser,
    Place,
    Send,
    Work,
    hidden_of,
    value_of,
)


def test_while_it_waits_the_page_asks_again_with_and_without_script(
    browser: Browser,
) -> None:
    page = browser.fate(browser.send("/orders/new", **TYPED_CLOCKS))

    assert "The order is being placed" in page
    assert 'hx-trigger="every 500ms"' in page
    assert '<noscript><meta http-equiv="refresh" content="1"></noscript>' in page


def test_while_nothing_is_new_the_page_is_left_as_it_is(
    browser: Browser, client: FlaskClient
) -> None:
    sent = browser.send("/orders/new", **TYPED_CLOCKS)
    asked = client.get(sent.headers["Location"], headers={"HX-Request": "true"})

    assert asked.status_code == 204


def test_a_result_replaces_the_waiting_and_asks_no_more(
    browser: Browser, client: FlaskClient, work: Work, alice: str
) -> None:
    sent = browser.send("/orders/new", **TYPED_CLOCKS)
    work(sent)
    asked = client.get(sent.headers["Location"], headers={"HX-Request": "true"})

    assert "<title>Order 1 is placed" in asked.text
    assert "<html" not in asked.text
    assert "hx-get" not in asked.text


def test_a_refusal_says_the_rule_and_keeps_what_was_typed(
    browser: Browser, work: Work
) -> None:
    sent = browser.send("/orders/new", **TYPED_CLOCKS)
    work(sent)
    page = browser.fate(sent)

    assert "The order was not placed" in page
    assert "There is no customer ALICE." in page
    fields = [name for name in TYPED_CLOCKS if not name.endswith(".own")]
    assert [value_of(page, name) for name in fields] == [
        TYPED_CLOCKS[name] for name in fields
    ]
    assert 'name="items.0.own" value="on" checked' in page


def test_a_refused_form_can_be_sent_again(
    browser: Browser, client: FlaskClient, send: Send, work: Work
) -> None:
    refused = browser.send("/orders/new", **TYPED_CLOCKS)
    work(refused)
    page = browser.fate(refused)
    work(browser.send("/customers/new", name="Alice's Clocks", customer_id="ALICE"))
    again = client.post("/orders/new", data={**hidden_of(page), **TYPED_CLOCKS})
    work(again)

    assert again.headers["Location"] != refused.headers["Location"]
    assert "is placed" in browser.fate(again)


def test_a_registered_customer_gets_a_number_and_a_way_to_order(
    browser: Browser, work: Work
) -> None:
    sent = browser.send("/customers/new", name="Bob")
    work(sent)
    page = browser.fate(sent)

    assert "Customer 1 is registered" in page
    assert "/orders/new?customer=1" in page


def test_an_order_is_cancelled_with_a_reason(
    browser: Browser, work: Work, alice: str
) -> None:
    work(browser.send("/orders/new", **TYPED_CLOCKS))
    without_reason = browser.send("/orders/1/cancel")
    sent = browser.send("/orders/1/cancel", reason="The clock is slow")
    work(sent)

    assert without_reason.status_code == 422
    assert "Reason is missing." in without_reason.text
    assert "Order 1 is cancelled" in browser.fate(sent)
    assert "Order 1 is cancelled" in browser.see("/orders/1/cancel")


def test_cancelling_an_order_that_never_was_is_refused(
    browser: Browser, work: Work
) -> None:
    sent = browser.send("/orders/7/cancel", form="/orders/new", reason="Why not")
    work(sent)
    page = browser.fate(sent)

    assert "There is no order 7." in page
    assert 'action="/orders/7/cancel"' not in page


@pytest.fixture
def shipped_twice(browser: Browser, place: Place, alice: str) -> list[TestResponse]:
    """The answers to two who say that an order is shipped; neither is decided yet."""
    place("paid")
    return [
        browser.send("/orders/1/shipment", form="/orders/1", tracking_no="1Z9", key=key)
        for key in ("here", "there")
    ]


def test_what_an_order_no_longer_allows_is_not_offered_again(
    browser: Browser, work: Work, shipped_twice: list[TestResponse]
) -> None:
    work(*shipped_twice)
    page = browser.fate(shipped_twice[1])

    assert "Shipped</strong>, tracking number 1Z9, by local" in page
    assert "So it can be done no longer." in page
    assert 'action="/orders/1/shipment"' not in page
    assert 'href="/orders/1"' in page


def test_a_rule_that_no_input_meets_offers_no_form_while_the_page_lags(
    browser: Browser, run: Work, shipped_twice: list[TestResponse]
) -> None:
    run(*shipped_twice)

    page = browser.fate(shipped_twice[1])

    assert "So it can be done no longer." in page
    assert "send it again" not in page


def test_two_who_note_the_same_payment_note_it_once(
    browser: Browser, work: Work, alice: str
) -> None:
    work(browser.send("/orders/new", **TYPED_CLOCKS))
    twice = [
        browser.send("/orders/1/payment", form="/orders/1", amount="10.00", key=key)
        for key in ("here", "there")
    ]
    work(*twice)
    page = browser.fate(twice[1])

    assert "Somebody else has changed it meanwhile" in page
    assert "Payment received</strong>: 10.00 EUR, by local" in page
    # Who meant another one sends it again.
    assert value_of(page, "amount") == "10.00"


def test_what_an_order_still_allows_is_offered_again_as_it_was_typed(
    browser: Browser, work: Work, alice: str
) -> None:
    work(browser.send("/orders/new", **TYPED_CLOCKS))
    sent = browser.send("/orders/1/payment", amount="26.00")
    work(sent)
    page = browser.fate(sent)

    assert "25.00 EUR" in page
    assert value_of(page, "amount") == "26.00"


def test_an_unknown_command_is_a_page_that_says_so(client: FlaskClient) -> None:
    page = client.get(f"/commands/{uuid4()}")

    assert page.status_code == 404
    assert "There is nothing at this address" in page.text


def test_an_order_number_beyond_all_is_not_found(client: FlaskClient) -> None:
    assert client.get(f"/orders/{10**30}/cancel").status_code == 404
    assert client.get("/orders/0/cancel").status_code == 404


def test_the_fate_shows_what_the_command_caused_and_leads_there(
    browser: Browser, work: Work, alice: str
) -> None:
    sent = browser.send("/orders/new", **TYPED_CLOCKS)
    work(sent)
    page = browser.fate(sent)

    assert "It caused:" in page
    assert "OrderCreated, version 1 of order-1" in page
    assert 'href="/orders/1?min_position=' in page


def test_a_command_that_changed_nothing_says_so(
    browser: Browser, send: Send, work: Work, alice: str
) -> None:
    work(send("PlaceOrder", CLOCKS, key="place"))
    cancel = {"order_id": 1, "reason": "Too slow"}
    work(send("CancelOrder", cancel, key="once"))
    again = send("CancelOrder", cancel, key="again")
    work(again)

    page = browser.see(again.headers["Location"].removeprefix("/api"))
    assert "It changed nothing" in page


def test_a_refused_payment_shows_both_amounts_and_the_form(
    browser: Browser, send: Send, work: Work, alice: str
) -> None:
    work(send("PlaceOrder", CLOCKS, key="place"))
    sent = browser.send("/orders/1/payment", amount="26.00")
    work(sent)
    page = browser.fate(sent)

    assert "26.00 EUR is more" in page
    assert value_of(page, "amount") == "26.00"
    assert 'action="/orders/1/payment"' in page

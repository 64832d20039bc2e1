"""The page that places an order: nothing typed is ever lost."""

from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.support.visiting import TYPED_CLOCKS, Browser, Work, hidden_of, value_of


def test_an_order_is_placed_and_listed(
    browser: Browser, work: Work, alice: str
) -> None:
    sent = browser.send("/orders/new", **TYPED_CLOCKS)
    work(sent)

    assert "Order 1 is placed" in browser.fate(sent)
    assert "25.00 EUR" in browser.see("/orders")


def test_a_double_submit_ends_on_the_same_order(
    browser: Browser, client: FlaskClient, alice: str
) -> None:
    form = {**hidden_of(browser.see("/orders/new")), **TYPED_CLOCKS}
    first = client.post("/orders/new", data=form)
    second = client.post("/orders/new", data=form)

    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]


def test_a_form_sent_again_with_other_content_asks_first(
    browser: Browser, client: FlaskClient, alice: str
) -> None:
    form = {**hidden_of(browser.see("/orders/new")), **TYPED_CLOCKS}
    first = client.post("/orders/new", data=form)
    other = client.post("/orders/new", data={**form, "items.0.quantity": "3"})

    assert other.status_code == 422
    assert first.headers["Location"] in other.text
    assert value_of(other.text, "items.0.quantity") == "3"
    assert hidden_of(other.text)["key"] != form["key"]


def test_a_customer_may_come_with_the_address(browser: Browser) -> None:
    page = browser.see("/orders/new?customer=ALICE")

    assert value_of(page, "customer_id") == "ALICE"


def test_every_fault_is_at_its_field_and_what_was_typed_is_kept(
    browser: Browser,
) -> None:
    page = browser.send(
        "/orders/new",
        **{"items.0.product": "RETRO-CLOCK", "items.0.unit_price": "1000,005"},
    )
    text = unescape(page.text)

    assert page.status_code == 422
    assert "Line 1, unit price: write it like 12.50." in text
    assert "Line 1, quantity is missing." in text
    assert "Customer number is missing." in text
    assert "City is missing." in text
    assert value_of(text, "items.0.unit_price") == "1000,005"
    assert 'aria-describedby="items.0.unit_price-problem"' in text


def test_an_order_without_lines_is_told_the_rule(browser: Browser) -> None:
    typed = {k: v for k, v in TYPED_CLOCKS.items() if not k.startswith("items")}
    page = browser.send("/orders/new", **typed)

    assert page.status_code == 422
    assert "An order has at least one line." in page.text


def test_the_key_stays_while_the_form_has_faults(
    browser: Browser, client: FlaskClient
) -> None:
    form = hidden_of(browser.see("/orders/new"))
    page = client.post("/orders/new", data=form)

    assert hidden_of(page.text)["key"] == form["key"]


def test_a_line_is_added_and_removed_by_the_server(
    browser: Browser, client: FlaskClient
) -> None:
    longer = browser.send("/orders/new", **TYPED_CLOCKS, add_line="1").text
    shorter = browser.send(
        "/orders/new", **TYPED_CLOCKS, **{"items.1.product": "CHAI"}, remove_line="0"
    ).text

    assert value_of(longer, "items.0.product") == "RETRO-CLOCK"
    assert value_of(longer, "items.1.product") == ""
    assert value_of(longer, "address.city") == "Berlin"
    assert value_of(shorter, "items.0.product") == "CHAI"
    assert value_of(shorter, "items.1.product") is None


@pytest.mark.parametrize("number", ["7", "x", "-1", ""])
def test_removing_a_line_that_is_not_there_changes_nothing(
    browser: Browser, number: str
) -> None:
    page = browser.send("/orders/new", **TYPED_CLOCKS, remove_line=number)

    assert page.status_code == 200
    assert value_of(page.text, "items.0.product") == "RETRO-CLOCK"


def test_without_its_token_the_form_comes_back_filled(client: FlaskClient) -> None:
    page = client.post("/orders/new", data={**TYPED_CLOCKS, "key": "k"})

    assert page.status_code == 403
    assert value_of(page.text, "items.0.product") == "RETRO-CLOCK"


@pytest.mark.parametrize("key", ["", "k" * 300, "a\nb"])
def test_without_its_key_the_form_comes_back_filled(browser: Browser, key: str) -> None:
    page = browser.send("/orders/new", **{**TYPED_CLOCKS, "key": key})

    assert page.status_code == 400
    assert value_of(page.text, "items.0.product") == "RETRO-CLOCK"


def test_without_the_database_the_form_comes_back_filled(away: FlaskClient) -> None:
    page = Browser(away).send("/orders/new", **TYPED_CLOCKS)

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert "database is away" in page.text
    assert value_of(page.text, "items.0.product") == "RETRO-CLOCK"


def test_what_was_typed_is_shown_as_text(browser: Browser) -> None:
    page = browser.send("/orders/new", customer_id='"><script>alert(1)</script>')

    assert "<script>alert" not in page.text
    assert value_of(page.text, "customer_id") == '"><script>alert(1)</script>'

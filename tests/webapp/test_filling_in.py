"""What the order's page offers to choose from, and fills in when it is asked to."""

import re
import time

import pytest
from flask.testing import FlaskClient

from tests.support.visiting import (
    TYPED_CLOCKS,
    Browser,
    Place,
    Send,
    Work,
    hidden_of,
    value_of,
)

LISTED = {**TYPED_CLOCKS, "items.0.own": ""}
UNPRICED = {**LISTED, "items.0.unit_price": ""}


@pytest.fixture
def clock(send: Send, work: Work) -> str:
    """A product of the list, and what it is called."""
    added = {"product_id": "RC-1", "name": "RETRO-CLOCK", "unit_price": 1_250}
    work(send("AddProduct", added, key="clock"))
    return "RETRO-CLOCK"


def options_of(page: str, name: str) -> list[tuple[str, str]]:
    """Return what the datalist *name* of *page* offers."""
    found = re.search(f'<datalist id="{name}">(.*?)</datalist>', page, re.DOTALL)
    assert found
    return re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', found[1])


def test_products_and_customers_are_there_to_choose_from(
    browser: Browser, clock: str, alice: str, bob: str
) -> None:
    page = browser.see("/orders/new")

    assert options_of(page, "products") == [(clock, "RC-1 \u00b7 12.50 EUR")]
    assert options_of(page, "customers") == [
        ("ALICE", "Alice&#39;s Clocks"),
        ("BOB", "Bob &amp; Söhne"),
    ]


def test_the_customer_s_name_is_beside_a_number_that_is_known(
    browser: Browser, alice: str
) -> None:
    named = "<strong>Alice&#39;s Clocks</strong>"

    assert named in browser.see("/orders/new?customer=ALICE")
    assert named in browser.send("/orders/new", customer_id="ALICE", add_line="1").text
    assert named not in browser.see("/orders/new?customer=BOB")


@pytest.mark.parametrize("typed", ["RETRO-CLOCK", "retro-clock", "RC-1"])
def test_an_empty_price_is_that_of_the_list(
    browser: Browser, place: Place, work: Work, clock: str, alice: str, typed: str
) -> None:
    place(items=[{"product": clock, "quantity": 1, "unit_price": 990}])
    sent = browser.send("/orders/new", **{**UNPRICED, "items.0.product": typed})
    work(sent)

    # Not the one of the last order.
    assert "25.00 EUR" in browser.see("/orders/2")


@pytest.mark.parametrize("button", ["check", "add_line"])
def test_the_list_s_prices_are_filled_in_to_be_looked_at(
    browser: Browser, clock: str, alice: str, button: str
) -> None:
    page = browser.send("/orders/new", **UNPRICED, **{button: "1"}).text

    assert value_of(page, "items.0.unit_price") == "12.50"


def test_checking_says_what_the_lines_come_to(
    browser: Browser, clock: str, alice: str
) -> None:
    typed = {**UNPRICED, "items.0.discount": "10", "freight": "4.20"}
    page = browser.send("/orders/new", **typed, check="1").text

    assert re.search(r"<output[^>]*>22\.50</output>", page)
    assert "Total, freight included: <strong>26.70 EUR</strong>" in page


def test_a_price_that_was_agreed_on_stays(
    browser: Browser, work: Work, clock: str, alice: str
) -> None:
    sent = browser.send("/orders/new", **{**LISTED, "items.0.unit_price": "10"})
    work(sent)

    assert "20.00 EUR" in browser.see("/orders/1")


def test_a_price_far_from_the_list_s_is_asked_back(
    browser: Browser, client: FlaskClient, work: Work, clock: str, alice: str
) -> None:
    typed = {**LISTED, "items.0.unit_price": "125"}
    asked = browser.send("/orders/new", **typed)
    meant = {**hidden_of(asked.text), **typed, "confirmed": "items.0.unit_price"}
    sent = client.post("/orders/new", data=meant)
    work(sent)

    assert asked.status_code == 422
    assert "unit price is far from the list&#39;s price, 12.50 EUR." in asked.text
    assert 'name="confirmed" value="items.0.unit_price"' in asked.text
    assert "250.00 EUR" in browser.see("/orders/1")


def test_a_product_that_is_not_on_the_list_is_asked_back(
    browser: Browser, clock: str, alice: str
) -> None:
    page = browser.send("/orders/new", **{**LISTED, "items.0.product": "RETRO-CLOK"})

    assert page.status_code == 422
    assert "product is not on the price list" in page.text


def test_a_name_of_two_products_is_asked_back(
    browser: Browser, send: Send, work: Work, clock: str, alice: str
) -> None:
    other = {"product_id": "RC-2", "name": clock, "unit_price": 2_000}
    work(send("AddProduct", other, key="other"))
    page = browser.send("/orders/new", **LISTED)

    assert page.status_code == 422
    assert "type the number of one, RC-1, RC-2." in page.text


def test_a_discontinued_product_is_offered_no_more(
    browser: Browser, send: Send, work: Work, clock: str, alice: str
) -> None:
    work(send("DiscontinueProduct", {"product_id": "RC-1"}, key="end"))

    assert options_of(browser.see("/orders/new"), "products") == []
    assert browser.send("/orders/new", **LISTED).status_code == 422


def test_a_line_of_its_own_needs_a_price(browser: Browser, alice: str) -> None:
    page = browser.send("/orders/new", **{**TYPED_CLOCKS, "items.0.unit_price": ""})

    assert page.status_code == 422
    assert "Line 1, unit price is missing" in page.text


def test_the_customer_s_address_is_filled_in_and_the_rest_is_kept(
    browser: Browser, bob: str
) -> None:
    typed = {
        "customer_id": "BOB",
        "items.0.product": "RETRO-CLOCK",
        "freight": "4.20",
    }
    page = browser.send("/orders/new", **typed, fill_address="1").text

    assert value_of(page, "address.street") == "Forsterstr. 57"
    assert value_of(page, "address.city") == "Mannheim"
    assert {name: value_of(page, name) for name in typed} == typed


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({}, "Type the customer first"),
        ({"customer_id": "NOBODY"}, "There is no customer NOBODY"),
        ({"customer_id": "ALICE"}, "No address of Alice's Clocks is known."),
        ({"customer_id": "a\0b"}, "There is no customer"),
    ],
)
def test_an_address_that_is_not_there_is_told(
    browser: Browser, alice: str, typed: dict[str, str], told: str
) -> None:
    page = browser.send("/orders/new", **typed, fill_address="1")

    assert page.status_code == 200
    assert told in page.text.replace("&#39;", "'")


@pytest.mark.parametrize("typed", ["BOB", "Bob & Söhne", "bob sohne"])
def test_a_customer_is_typed_by_name_or_number(
    browser: Browser, work: Work, bob: str, typed: str
) -> None:
    sent = browser.send("/orders/new", **{**TYPED_CLOCKS, "customer_id": typed})
    work(sent)

    assert 'href="/customers/BOB"' in browser.see("/orders/1")


def test_a_customer_whose_name_is_not_clear_is_asked_back(
    browser: Browser, bob: str, alice: str
) -> None:
    page = browser.send("/orders/new", **{**TYPED_CLOCKS, "customer_id": "Bob"})

    assert page.status_code == 422
    assert "did you mean Bob &amp; Söhne (BOB)?" in page.text


def test_the_address_is_found_by_the_name_of_the_customer(
    browser: Browser, bob: str
) -> None:
    typed = {"customer_id": "Bob & Söhne"}
    page = browser.send("/orders/new", **typed, fill_address="1").text

    assert value_of(page, "address.city") == "Mannheim"


def test_an_address_that_was_typed_is_not_written_over(
    browser: Browser, bob: str
) -> None:
    typed = {**TYPED_CLOCKS, "customer_id": "BOB"}
    page = browser.send("/orders/new", **typed, fill_address="1").text

    assert value_of(page, "address.city") == "Berlin"
    assert "You have already typed another address" in page


def test_a_nul_in_a_product_is_a_fault_and_no_accident(
    browser: Browser, alice: str
) -> None:
    page = browser.send("/orders/new", **{**UNPRICED, "items.0.product": "a\0b"})

    assert page.status_code == 422


def test_what_is_offered_is_shown_as_text(
    browser: Browser, send: Send, work: Work
) -> None:
    evil = '"><script>alert(1)</script>'
    work(send("AddProduct", {"name": evil, "unit_price": 1}, key="evil"))

    assert "<script>alert" not in browser.see("/orders/new")


@pytest.mark.parametrize("button", ["add_line", "fill_address"])
def test_without_the_database_a_button_loses_nothing(
    away: FlaskClient, button: str
) -> None:
    page = Browser(away).send("/orders/new", **UNPRICED, **{button: "1"})

    assert page.status_code == 503
    assert value_of(page.text, "items.0.product") == "RETRO-CLOCK"
    assert value_of(page.text, "address.city") == "Berlin"


def many_lines(count: int, **fields: str) -> dict[str, str]:
    return {
        f"items.{number}.{name}": value
        for number in range(count)
        for name, value in fields.items()
    }


def test_a_form_full_of_faults_is_answered_at_once(browser: Browser) -> None:
    """Each line has two faults; it took 3 s when each field gathered all of them."""
    started = time.process_time()
    page = browser.send("/orders/new", **many_lines(400, product="CLOCK"))

    assert page.status_code == 422
    assert page.text.count("is missing") > 800
    assert time.process_time() - started < 2.5


def test_an_order_of_as_many_lines_as_may_be_can_be_sent(
    browser: Browser, work: Work, alice: str
) -> None:
    lines = many_lines(
        500,
        product="RETRO-CLOCK with a chime of its own",
        own="on",
        quantity="2",
        unit_price="12.50",
        discount="5",
    )
    sent = browser.send("/orders/new", **{**TYPED_CLOCKS, **lines})
    work(sent)

    assert "Order 1 is placed" in browser.fate(sent)


def test_another_recipient_may_be_at_the_customers_address(
    browser: Browser, work: Work, alice: str
) -> None:
    work(
        browser.send(
            "/customers/ALICE/edit",
            **{
                "name": "Alice",
                "address.street": "Obere Str. 57",
                "address.city": "Berlin",
                "address.country": "Germany",
            },
        )
    )
    page = browser.send(
        "/orders/new",
        **{"customer_id": "ALICE", "address.name": "Bob", "fill_address": "1"},
    ).text

    assert value_of(page, "address.name") == "Bob"
    assert value_of(page, "address.city") == "Berlin"

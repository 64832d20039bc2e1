"""What the order's page offers to choose from, and fills in when it is asked to."""

import re
import time

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.visiting import (
    TYPED_CLOCKS,
    Browser,
    Place,
    Work,
    hidden_of,
    value_of,
)

UNPRICED = {**TYPED_CLOCKS, "items.0.unit_price": ""}


def options_of(page: str, name: str) -> list[tuple[str, str]]:
    """Return what the datalist *name* of *page* offers."""
    found = re.search(f'<datalist id="{name}">(.*?)</datalist>', page, re.DOTALL)
    assert found
    return re.findall(r'<option value="([^"]*)">([^<]*)<', found[1])


def article_of(page: str) -> str | None:
    found = re.search(r'name="items.0.product_id" value="([^"]*)"', page)
    return found[1] if found else None


def test_products_and_customers_are_there_to_choose_from(
    browser: Browser, place: Place, alice: str, bob: str
) -> None:
    place()
    page = browser.see("/orders/new")

    assert options_of(page, "products") == [("RETRO-CLOCK", "12.50 EUR")]
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


def test_an_empty_price_is_filled_in_and_shown_before_it_is_sent(
    browser: Browser, client: FlaskClient, place: Place, work: Work, alice: str
) -> None:
    place(items=[{"product": "RETRO-CLOCK", "quantity": 1, "unit_price": 990}])
    shown = browser.send("/orders/new", **UNPRICED)
    price = value_of(shown.text, "items.0.unit_price")
    sent = client.post(
        "/orders/new",
        data={**hidden_of(shown.text), **UNPRICED, "items.0.unit_price": price or ""},
    )
    work(sent)

    assert shown.status_code == 200
    assert "The price of RETRO-CLOCK was left empty" in shown.text
    assert price == "9.90"
    assert value_of(shown.text, "items.0.quantity") == "2"
    assert "19.80 EUR" in browser.fate(sent)


def test_a_line_added_fills_in_the_prices_above(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    page = browser.send("/orders/new", **UNPRICED, add_line="1").text

    assert value_of(page, "items.0.unit_price") == "12.50"
    assert value_of(page, "items.1.product") == ""


def test_a_price_that_was_typed_stays(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    typed = {**TYPED_CLOCKS, "items.0.unit_price": "10"}

    assert browser.send("/orders/new", **typed).status_code == 303


def test_the_price_of_an_unknown_product_is_a_fault(
    browser: Browser, alice: str
) -> None:
    page = browser.send("/orders/new", **UNPRICED)

    assert page.status_code == 422
    assert "Line 1, unit price is missing." in page.text


def test_the_article_number_comes_with_its_product_and_goes_with_it(
    browser: Browser, place: Place, alice: str
) -> None:
    line = {"quantity": 1, "unit_price": 990}
    place(items=[{**line, "product": "RETRO-CLOCK", "product_id": "17"}])
    page = browser.send("/orders/new", **UNPRICED, add_line="1").text
    unseen = {"items.0.product_id": "17", "items.0.product_id_of": "RETRO-CLOCK"}
    kept = browser.send("/orders/new", **TYPED_CLOCKS, **unseen, add_line="1").text
    other = {**TYPED_CLOCKS, "items.0.product": "SUNDIAL"}
    changed = browser.send("/orders/new", **other, **unseen, add_line="1").text

    assert [article_of(p) for p in (page, kept, changed)] == ["17", "17", ""]


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
        ({}, "Type the customer's number first"),
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
    browser: Browser, place: Place, alice: str
) -> None:
    evil = '"><script>alert(1)</script>'
    place(items=[{"product": evil, "quantity": 1, "unit_price": 1}])

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
        product_id="RETRO-CLOCK-4711",
        product_id_of="RETRO-CLOCK with a chime of its own",
        quantity="2",
        unit_price="12.50",
        discount="5",
    )
    sent = browser.send("/orders/new", **{**TYPED_CLOCKS, **lines})
    work(sent)

    assert "Order 1 is placed" in browser.fate(sent)


def test_a_price_of_nothing_is_not_filled_in(shop: Shop, browser: Browser) -> None:
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO readmodels.products_g1"
                " VALUES ('FREEBIE', NULL, 0, 1, now())"
            )
        )
    line = {"items.0.product": "FREEBIE", "items.0.quantity": "1"}
    page = browser.send("/orders/new", **line)

    assert page.status_code == 422
    assert value_of(page.text, "items.0.unit_price") == ""


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

"""A shop with LOCALE=de_DE: its pages write and read as Germans do, its API as ever."""

from dataclasses import replace
from html import unescape

import pytest
from flask.testing import FlaskClient

from tasks.shop.settings import Settings
from tests.support.settings import settings_for
from tests.support.visiting import TYPED_CLOCKS, Browser, Place, Send, Work, value_of

CLOCKS = {**TYPED_CLOCKS, "items.0.quantity": "40", "items.0.unit_price": "35,90"}
"""An order of 1,436.00 EUR."""


@pytest.fixture
def settings(database: str) -> Settings:
    return replace(settings_for(database), locale="de_DE")


@pytest.fixture
def clocks(browser: Browser, work: Work, alice: str) -> str:
    """The address of an order that was typed as Germans do."""
    work(browser.send("/orders/new", **CLOCKS))
    return "/orders/1"


def test_an_order_that_is_typed_in_german_is_shown_in_german(
    browser: Browser, client: FlaskClient, clocks: str
) -> None:
    for page in map(browser.see, (clocks, "/orders", "/customers/ALICE")):
        assert "1.436,00 EUR" in page
        assert "1,436.00" not in page
    order = client.get("/api/orders/1").get_json()
    assert order["total"] == 143_600
    assert order["lines"][0]["unit_price"] == 3_590


def test_a_form_has_what_was_typed_and_suggests_as_it_is_typed(
    browser: Browser, clocks: str
) -> None:
    again = browser.send("/orders/new", **{**CLOCKS, "customer_id": ""}).text

    assert value_of(again, "items.0.unit_price") == "35,90"
    assert value_of(browser.see("/orders/1/payment"), "amount") == "1436,00"


def test_a_discount_and_a_part_of_the_sum_have_a_comma(
    browser: Browser, work: Work, clocks: str
) -> None:
    work(browser.send("/orders/new", **CLOCKS, discount="12,5"))

    page = browser.see("/orders/2")

    assert "12,5\xa0%" in page
    assert "1.256,50 EUR" in page


@pytest.mark.parametrize("typed", ["1.234", "1,234"])
def test_what_could_be_read_in_two_ways_is_asked_back_and_not_sent(
    browser: Browser, client: FlaskClient, clocks: str, typed: str
) -> None:
    asked = browser.send("/orders/1/payment", amount=typed)
    page = unescape(asked.text)

    assert asked.status_code == 422
    assert "can mean 1.234,00 or 1,234; write the one you mean" in page
    assert value_of(page, "amount") == typed
    assert client.get("/api/orders/1").get_json()["status"] == "pending"


@pytest.mark.parametrize("typed", ["1.436,00", "1436", "1436.00", "1 436,00"])
def test_what_can_be_read_in_one_way_is_read(
    browser: Browser, client: FlaskClient, work: Work, clocks: str, typed: str
) -> None:
    work(browser.send("/orders/1/payment", amount=typed))

    assert client.get("/api/orders/1").get_json()["status"] == "paid"


def test_a_refusal_is_in_german_notation_on_pages_and_as_ever_in_the_api(
    browser: Browser, client: FlaskClient, work: Work, clocks: str
) -> None:
    sent = browser.send("/orders/1/payment", amount="1.500,00")
    work(sent)
    command = client.get(f"/api{sent.headers['Location']}").get_json()

    assert "1.500,00 EUR is more" in browser.fate(sent)
    assert "1,500.00 EUR is more" in command["error"]["message"]


def test_a_day_is_written_in_german_and_marked_for_programs(
    browser: Browser, send: Send, work: Work, place: Place, alice: str
) -> None:
    number = place(required_date="2031-04-03")
    page = browser.see(f"/orders/{number}")

    assert '<time datetime="2031-04-03">03.04.2031</time>' in page
    assert '<html lang="en">' in page


def test_why_is_answered_in_german_notation_on_the_page_alone(
    browser: Browser, client: FlaskClient, clocks: str
) -> None:
    page = browser.see("/orders/1/why?column=total")
    answer = client.get("/api/orders/1/why?column=total").get_json()

    assert "1.436,00 EUR" in page
    assert answer["value"] == 143_600


def test_what_is_doubtful_is_asked_back_in_german_notation(
    browser: Browser, send: Send, work: Work, alice: str
) -> None:
    clock = {"product_id": "CLOCK", "name": "Retro clock", "unit_price": 123_450}
    work(send("AddProduct", clock, key="clock"))
    asked = browser.send(
        "/orders/new",
        **{
            **CLOCKS,
            "items.0.own": "",
            "items.0.product": "CLOCK",
            "items.0.unit_price": "12,34",
        },
    )

    assert asked.status_code == 422
    assert "far from the list's price, 1.234,50 EUR" in unescape(asked.text)


def test_the_sum_while_typing_has_the_signs_of_the_shop(browser: Browser) -> None:
    page = browser.see("/orders/new")

    assert 'data-decimal="," data-group="." data-sizes="3 3"' in page


def test_keyboards_of_phones_have_the_decimal_sign(browser: Browser) -> None:
    page = browser.see("/orders/new")

    assert 'name="items.0.unit_price" type="text" value="" autocomplete="off"' in page
    assert page.count('inputmode="decimal"') >= 3

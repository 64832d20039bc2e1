"""One field that searches orders, customers and products, on every page."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.logged_in import browser_of
from tests.support.visiting import Browser, Place, Send, Work

FIELD = 'id="find" name="q"'


def found_in(page: str, of: str) -> list[str]:
    """Return what *page* links to among the orders, customers or products."""
    part = re.search(rf'aria-labelledby="found-{of}".*?</section>', page, re.DOTALL)
    return re.findall(rf'href="/{of}/([^"/]+)"', part[0]) if part else []


@pytest.fixture
def clock(send: Send, work: Work) -> str:
    product = {"product_id": "RC-1", "name": "Clock of Mannheim", "unit_price": 500}
    work(send("AddProduct", {**product, "currency": "EUR"}, key="clock"))
    return "RC-1"


def test_the_field_is_on_every_page_and_leads_to_what_it_finds(
    browser: Browser, alice: str
) -> None:
    for path in ("/", "/orders", "/customers/ALICE", "/search", "/me"):
        page = browser.client.get(path, follow_redirects=True).text
        assert FIELD in page
        assert '<form method="get" action="/search">' in page
        assert "find.js" in page


def test_one_search_finds_in_all_lists(
    browser: Browser, place: Place, alice: str, bob: str, clock: str
) -> None:
    place()
    his = place(customer_id=bob)
    page = browser.see("/search?q=mannheim")

    assert found_in(page, "customers") == ["BOB"]
    assert found_in(page, "products") == ["RC-1"]
    assert found_in(page, "orders") == []
    assert found_in(browser.see("/search?q=sohne"), "orders") == [str(his)]
    assert "<mark>Mannheim</mark>" in page


@pytest.mark.parametrize(
    ("typed", "of"),
    [
        ("bob", "customers"),
        ("bob@example.com", "customers"),
        ("062108460", "customers"),
        ("shne", "customers"),
        ("1z999", "orders"),
        ("rc-1", "products"),
    ],
)
def test_what_one_remembers_is_enough(
    browser: Browser,
    place: Place,
    alice: str,
    bob: str,
    clock: str,
    typed: str,
    of: str,
) -> None:
    his = place("shipped", customer_id=bob)
    expected = {"customers": "BOB", "orders": str(his), "products": "RC-1"}

    assert found_in(browser.see(f"/search?q={typed}"), of) == [expected[of]]


def test_exact_numbers_come_first(
    browser: Browser, place: Place, send: Send, work: Work, alice: str
) -> None:
    for number, name in (("ABC", "Abacus"), ("AB", "Zoe")):
        work(send("RegisterCustomer", {"customer_id": number, "name": name}, key=name))
    item = {"product": "Number 1", "quantity": 1, "unit_price": 5}
    numbers = [place(items=[item]), place(items=[item])]

    assert found_in(browser.see("/search?q=ab"), "customers") == ["AB", "ABC"]
    assert numbers == [1, 2]
    assert found_in(browser.see("/search?q=1"), "orders") == ["1", "2"]


def test_of_many_the_first_ten_are_shown_with_the_way_to_all(
    browser: Browser,
    place: Place,
    alice: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webapp.pages.search.MAX_SHOWN", 1)
    place()
    newest = place()
    page = browser.see("/search?q=clocks")

    assert found_in(page, "orders")[0] == str(newest)
    assert 'href="/orders?q=clocks">All orders that match' in page
    assert "All customers that match" not in page


def test_of_many_that_are_only_like_it_all_are_on_their_list(
    browser: Browser, place: Place, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place()
    place()
    assert "All orders that match" not in browser.see("/search?q=alcie")

    monkeypatch.setattr("webapp.pages.search.MAX_SHOWN", 1)
    assert 'href="/orders?q=alcie">All orders' in browser.see("/search?q=alcie")


def test_nothing_is_searched_for_without_a_word(browser: Browser, alice: str) -> None:
    for path in ("/search", "/search?q=", "/search?q=+"):
        page = browser.see(path)
        assert "Type a name, a number" in page
        assert "Nothing was found" not in page


def test_where_nothing_is_found_it_is_said_once(browser: Browser, alice: str) -> None:
    page = browser.see("/search?q=sundial")

    assert page.count("Nothing was found.") == 1
    assert 'value="sundial"' in page


def test_rows_that_are_only_like_it_are_told(browser: Browser, alice: str) -> None:
    assert "This is like them" in browser.see("/search?q=alcie")


def test_what_was_typed_is_shown_as_text(client: FlaskClient, alice: str) -> None:
    page = client.get("/search", query_string={"q": "<b>\"'"})

    assert page.status_code == 200
    assert "<b>" not in page.text


def test_customers_are_found_by_who_may_see_them(
    app: Flask, shop: Shop, place: Place, alice: str
) -> None:
    place()
    sara = browser_of(app, shop, "sara", "sales").get("/search?q=alice").text
    wim = browser_of(app, shop, "wim", "warehouse").get("/search?q=alice").text

    assert found_in(sara, "customers") == ["ALICE"]
    assert found_in(wim, "orders") == ["1"]
    assert 'id="found-customers"' not in wim
    assert FIELD not in browser_of(app, shop, "ned").get("/me").text

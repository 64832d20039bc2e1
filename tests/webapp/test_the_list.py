"""The page of orders: what is in it, and what it can be asked."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from tests.support.visiting import (
    HOW,
    TYPED_CLOCKS,
    Browser,
    Place,
    Send,
    Work,
)


def orders_in(page: str) -> list[int]:
    """Return the numbers of the orders that *page* lists, in its order."""
    return [
        int(n) for n in re.findall(r'data-label="Order"><a href="/orders/(\d+)', page)
    ]


def link_in(page: str, words: str) -> str:
    """Return where the link leads whose text is *words*."""
    found = re.search(rf'href="([^"]*)"[^>]*>{re.escape(words)}', page)
    assert found, f"no link {words!r}"
    return unescape(found[1])


@pytest.fixture
def bob(send: Send, work: Work) -> str:
    """Another customer."""
    work(send("RegisterCustomer", {"customer_id": "BOB", "name": "Bob"}, key="bob"))
    return "BOB"


def test_an_empty_list_says_what_to_do(browser: Browser) -> None:
    page = browser.see("/orders")

    assert "There are no orders yet." in page
    assert "place the first one for a new customer</a>" in page


def test_each_order_leads_to_its_page_and_its_customer_s(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    page = browser.see("/orders")

    assert 'href="/orders/1"' in page
    assert 'href="/customers/ALICE"' in page
    assert "25.00 EUR" in page


def test_a_name_is_shown_as_text(browser: Browser, work: Work) -> None:
    work(browser.send("/customers/new", name="<script>alert(1)</script>"))
    work(browser.send("/orders/new", **{**TYPED_CLOCKS, "customer_id": "1"}))
    page = browser.see("/orders")

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


def test_a_status_is_chosen_by_a_link(
    browser: Browser, place: Place, alice: str
) -> None:
    numbers = {status: place(status) for status in HOW}
    everything = browser.see("/orders")

    for status, number in numbers.items():
        address = link_in(everything, status)
        assert orders_in(browser.see(address)) == [number]


def test_what_a_desk_has_to_do_is_shown_by_links_the_oldest_first(
    browser: Browser, place: Place, send: Send, work: Work, alice: str
) -> None:
    to_pay = [place(), place()]
    ready = [place("paid"), place("paid", terms=14)]
    place("delivered")
    to_refund = place("paid")
    because = {"order_id": to_refund, "reason": "Ordered twice"}
    work(send("CancelOrder", because, key="twice"))
    everything = browser.see("/orders")

    found = {
        words: orders_in(browser.see(link_in(everything, words)))
        for words in ("to be paid", "to be shipped", "to refund", "late")
    }
    assert found == {
        "to be paid": to_pay,
        "to be shipped": ready,
        "to refund": [to_refund],
        "late": [],
    }


def test_only_one_filter_is_the_present_one_and_others_take_its_place(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    due = browser.see("/orders?customer=ALICE&due=true&sort=placed")

    assert re.findall(r'aria-current="true">([^<]*)', due) == ["to be paid"]
    assert link_in(due, "paid") == "/orders?customer=ALICE&status=paid"
    assert link_in(due, "late") == "/orders?customer=ALICE&sort=placed&late=true"
    assert link_in(due, "all") == "/orders?customer=ALICE"
    assert '<input type="hidden" name="due" value="true">' in due
    both = browser.see("/orders?status=pending&due=true")
    assert (
        "aria-current" not in both.partition("Which orders")[2].partition("</nav>")[0]
    )


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("status=paid", "The orders that are paid:"),
        ("due=true", "The orders of which something is to be paid:"),
        ("ready=true&customer=ALICE", "that can be shipped, of customer ALICE:"),
        ("late=true&q=x", "The orders that are late, in which “x” was found:"),
        ("credit=true", "The orders of which money is to be refunded:"),
    ],
)
def test_a_list_says_in_words_which_orders_it_has(
    browser: Browser, place: Place, alice: str, query: str, told: str
) -> None:
    place("delivered")
    page = browser.see(f"/orders?{query}")

    assert told in page
    assert "No order was found." in page
    assert "There are no orders yet." not in page
    assert "The orders" not in browser.see("/orders")


def test_a_customer_s_orders_and_those_that_a_search_finds(
    browser: Browser, place: Place, alice: str, bob: str
) -> None:
    hers, his = place("shipped"), place(customer_id=bob)

    assert orders_in(browser.see("/orders?customer=BOB")) == [his]
    assert orders_in(browser.see("/orders?q=alice")) == [hers]
    assert orders_in(browser.see("/orders?q=clo")) == [his, hers]
    assert orders_in(browser.see("/orders?q=1z999")) == [hers]
    assert orders_in(browser.see("/orders?q=&customer=&status=")) == [his, hers]


def test_what_a_search_found_is_marked_and_shown(
    browser: Browser, place: Place, alice: str
) -> None:
    place(items=[{"product": "<Möwe> pen", "quantity": 1, "unit_price": 5}])

    by_name = browser.see("/orders?q=alic")
    assert "<mark>Alic</mark>e&#39;s Clocks" in by_name
    assert 'class="found"' not in by_name
    by_others = browser.see("/orders?q=mow+berl")
    assert '<small class="found"><mark>Berl</mark>in · &lt;<mark>Möw</mark>e&gt;' in (
        by_others
    )
    assert "<mark>" not in browser.see("/orders")


def test_rows_that_are_only_like_what_was_asked_for_are_told(
    browser: Browser, place: Place, alice: str
) -> None:
    place()

    assert "Nothing begins with these words" in browser.see("/orders?q=belrin")
    assert "Nothing begins with these words" in browser.see("/customers?q=alcie")
    assert "like" not in browser.see("/orders?q=berlin").partition("<tbody")[2]


def test_a_column_sorts_downward_and_then_upward(
    browser: Browser, place: Place, alice: str
) -> None:
    line = {"product": "RETRO-CLOCK", "quantity": 1}
    middle = place(items=[{**line, "unit_price": 500}])
    most = place(items=[{**line, "unit_price": 900}])
    least = place(items=[{**line, "unit_price": 100}])

    down = browser.see(link_in(browser.see("/orders"), "Total"))
    up = browser.see(link_in(down, "Total"))
    assert orders_in(down) == [most, middle, least]
    assert orders_in(up) == [least, middle, most]
    assert re.search('aria-sort="descending">[^<]*<a[^>]*>Total', down)
    assert re.search('aria-sort="ascending">[^<]*<a[^>]*>Total', up)


def test_filters_are_kept_by_every_link_of_the_list(
    browser: Browser, place: Place, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.orders.A_PAGE", 1)
    paid = [place("paid"), place("paid")]
    place()
    first = browser.see("/orders?status=paid&customer=ALICE&q=clocks&sort=order")
    second = browser.see(link_in(first, "More orders"))
    back = browser.see(link_in(second, "Back to the first page"))

    assert [orders_in(page) for page in (first, second, back)] == [
        paid[:1],
        paid[1:],
        paid[:1],
    ]
    for words in ("Total", "pending"):
        address = link_in(second, words)
        assert "customer=ALICE" in address
        assert "q=clocks" in address
        assert "after=" not in address


def test_pages_show_each_order_once_while_others_come_in(
    browser: Browser, place: Place, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.pages.orders.A_PAGE", 2)
    there = [place() for _ in range(5)]
    page = browser.see("/orders")
    seen = orders_in(page)
    while "More orders" in page:
        place()
        page = browser.see(link_in(page, "More orders"))
        seen += orders_in(page)

    assert seen == sorted(there, reverse=True)


def test_a_search_that_finds_nothing_says_so_and_how_to_go_back(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    page = browser.see("/orders?q=sundial")

    assert "No order was found." in page
    assert link_in(page, "Show all orders") == "/orders"
    assert 'value="sundial"' in page


@pytest.mark.parametrize("typed", ["'", "a:*|b", "\\", "<b>", "%", "\U0001f570", "& !"])
def test_any_text_can_be_searched_for(browser: Browser, typed: str) -> None:
    response = browser.client.get("/orders", query_string={"q": typed})

    assert response.status_code == 200
    assert "<b>" not in response.text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("after=x", "cursor"),
        ("status=lost", "status must be one of pending, paid"),
        ("status=payed", "did you mean paid?"),
        ("sort=colour", "sort must be one of order, -order"),
        ("q=%00", "q must not contain a NUL"),
        ("min_position=x", "min_position must be a whole number"),
    ],
)
def test_garbage_in_the_address_is_a_page_that_says_so(
    client: FlaskClient, query: str, told: str
) -> None:
    page = client.get(f"/orders?{query}")

    assert page.status_code == 400
    assert told in page.text


def test_without_the_database_the_page_says_so(away: FlaskClient) -> None:
    page = away.get("/orders")

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert "database is away" in page.text


def test_what_was_asked_is_shown_as_text(browser: Browser) -> None:
    page = browser.see('/orders?customer="><script>alert(1)</script>')

    assert "<script>alert" not in page

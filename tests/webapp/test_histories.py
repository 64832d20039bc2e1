"""The history of an order and of a customer: filtered, and page by page."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient

from domain.customers.commands import ChangeCustomerDetails
from tasks.shop.wiring import Shop
from tests.support.desk import (
    PARIS,
    Do,
    alice,
    forget,
    note,
    pay,
    place,
    put_off,
    rename,
    ship,
    three_clocks,
    to_paris,
    void,
)
from tests.support.logged_in import BrowserClient, browser_of, hidden_in
from tests.support.past import read_events
from tests.support.past_pages import looker
from tests.support.visiting import Browser
from webapp.history import filtering
from webapp.past import making


def events_in(page: str) -> list[str]:
    """Return the labels of the events in a page's history, in its order."""
    _, _, history = page.partition('<ol class="history">')
    return re.findall(r"<strong>([^<]*)</strong>", history.partition("</ol>")[0])


def options_in(page: str, name: str) -> list[str]:
    """Return what the field *name* of the history offers, but for no filter."""
    found = re.search(rf'<select name="{name}">(.*?)</select>', page, re.DOTALL)
    assert found, f"no field {name}"
    return re.findall(r"<option(?: selected)?>([^<]*)", found[1])


def link_in(page: str, words: str) -> str:
    found = re.search(rf'href="([^"]*)">{words}</a>', page)
    assert found, f"no link {words!r}"
    return unescape(found[1])


def text_of(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


@pytest.fixture
def changed(do: Do) -> None:
    """An order with events of most kinds."""
    do(alice, place, three_clocks, to_paris, note, pay, void, put_off)


def test_a_history_is_filtered_by_kind(changed: None, browser: Browser) -> None:
    assert events_in(browser.see("/orders/1?kind=address")) == ["Address changed"]
    assert events_in(browser.see("/orders/1?kind=money")) == [
        "Payment received",
        "Payment taken back",
    ]
    assert len(events_in(browser.see("/orders/1"))) == 7


def test_only_kinds_and_people_that_occur_are_offered(
    changed: None, browser: Browser
) -> None:
    page = browser.see("/orders/1")

    assert options_in(page, "kind") == [
        *("placed", "lines", "address", "money", "cancelling", "notes")
    ]
    assert options_in(page, "by") == ["staff"]
    # What is chosen is offered, too.
    chosen = browser.see("/orders/1?kind=shipping")
    assert "shipping" in options_in(chosen, "kind")
    assert events_in(chosen) == []
    assert "There is no such event." in chosen


def test_who_changed_the_address_is_two_steps_from_the_order(
    app: Flask, shop: Shop, do: Do, work: Callable[..., None]
) -> None:
    """By whom, when, and from what to what."""
    do(alice, place, pay)
    ann = browser_of(app, shop, "ann", "sales")
    bert = browser_of(app, shop, "bert", "sales")
    work(change_address(bert, "Lyon"))
    work(change_address(ann, "Nice"))

    page = ann.get("/orders/1").text
    assert "address" in options_in(page, "kind")
    assert options_in(page, "by") == ["ann", "bert", "staff"]
    both = text_of(ann.get("/orders/1?kind=address").text)
    assert re.search(
        r"Address: 12 Orchestra Terrace, London, UK → 1 rue X, Lyon, France"
        r" \S+ \S+ \S+ \S+ · by bert",
        both,
    )
    assert "Address: 1 rue X, Lyon, France → 1 rue X, Nice, France" in both
    of_ann = text_of(ann.get("/orders/1?kind=address&by=ann").text)
    assert "→ 1 rue X, Nice, France" in of_ann
    assert "→ 1 rue X, Lyon, France" not in of_ann


def change_address(browser: BrowserClient, city: str) -> object:
    form = "/orders/1/address"
    typed = {
        "address.street": "1 rue X",
        "address.city": city,
        "address.country": "France",
    }
    hidden = hidden_in(browser.get(form).text)
    return browser.post(form, data={**hidden, **typed})


def test_of_a_long_history_the_latest_fifty_are_shown_and_a_way_to_the_others(
    do: Do, browser: Browser
) -> None:
    notes = [replace(note, text=f"Note {n}") for n in range(1, 121)]
    do(alice, place, pay, *notes)
    numbers, address = [], "/orders/1?kind=notes"
    for _ in range(3):
        page = browser.see(address)
        numbers.append(versions_in(page))
        if "Earlier" in page:
            address = link_in(page, "Earlier").partition("#")[0]

    # Order and payment are the events 1 and 2.
    assert numbers == [
        list(range(73, 123)),
        list(range(23, 73)),
        list(range(3, 23)),
    ]
    assert "Earlier" not in browser.see(address)
    latest = link_in(browser.see(address), "The latest").partition("#")[0]
    assert versions_in(browser.see(latest)) == numbers[0]


def versions_in(page: str) -> list[int]:
    return [int(version) for version in re.findall(r'id="event-(\d+)"', page)]


def test_a_short_history_has_no_pages_and_one_of_one_kind_no_filter(
    do: Do, browser: Browser
) -> None:
    do(alice, place)
    page = browser.see("/orders/1")

    assert "Earlier" not in page
    assert 'name="kind"' not in page


def test_a_customer_s_history_says_what_changed_from_what_to_what(
    do: Do, browser: Browser
) -> None:
    moved = ChangeCustomerDetails(
        customer_id="ALICE",
        name="Alice Retro",
        email="retro@example.com",
        address=PARIS,
    )
    do(alice, rename, moved)
    page = browser.see("/customers/ALICE")

    assert events_in(page) == [
        "Customer registered",
        "Details changed",
        "Details changed",
    ]
    assert options_in(page, "kind") == ["registered", "name", "contact", "address"]
    told = text_of(page)
    assert "Name: Alice → Alice Retro" in told
    assert "E-mail: alice@example.com → retro@example.com" in told
    assert "Address: nothing → 25 rue Lauriston, Paris, France" in told
    by_address = browser.see("/customers/ALICE?kind=address")
    assert versions_in(by_address) == [3]
    assert versions_in(browser.see("/customers/ALICE?kind=name")) == [2]


def test_of_somebody_forgotten_no_former_value_is_told(
    do: Do, browser: Browser
) -> None:
    do(alice, rename, place, to_paris, forget)
    customer, order = browser.see("/customers/ALICE"), browser.see("/orders/1")

    assert events_in(customer) == [
        "Customer registered",
        "Details changed",
        "Forgotten",
    ]
    for page in (customer, order):
        for former in ("Retro", "example.com", "Lauriston", "Orchestra"):
            assert former not in page
    assert "Address changed" in events_in(order)


def test_of_a_customer_changed_a_thousand_times_all_is_reached_page_by_page(
    do: Do, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.history.of_customers.MAX_READ", 7)
    monkeypatch.setattr(filtering, "MAX_SHOWN", 5)
    do(alice, *(replace(rename, name=f"Alice {n}") for n in range(2, 21)))
    seen: list[int] = []
    address = "/customers/ALICE"
    while address:
        page = browser.see(address)
        seen = versions_in(page) + seen
        more = "Earlier" in page
        address = link_in(page, "Earlier").partition("#")[0] if more else ""

    assert seen == list(range(1, 21))


def test_as_of_a_moment_a_history_ends_there(
    client: FlaskClient, shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    look = looker(client, shop)
    do(alice, place, to_paris)
    then = read_events(shop)[-1].occurred_at
    do(rename, pay, ship, note)

    order = look("/orders/1", as_of=then, kind="address").text
    customer = look("/customers/ALICE", as_of=then).text

    assert events_in(order) == ["Address changed"]
    assert options_in(order, "kind") == ["placed", "address"]
    assert "London, UK → 25 rue Lauriston, Paris, France" in text_of(order)
    assert "as_of" in order.partition('class="choose"')[2].partition("</form>")[0]
    assert events_in(customer) == ["Customer registered"]


@pytest.mark.parametrize("query", ["before=0", "before=x", "before=99999999999"])
def test_a_page_that_cannot_be_is_refused(
    changed: None, client: FlaskClient, query: str
) -> None:
    assert client.get(f"/orders/1?{query}").status_code == 400


def test_where_the_log_is_away_an_order_s_history_is_there_without_addresses(
    changed: None, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise psycopg.OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr("webapp.history.events.read_stream", fail)

    assert events_in(browser.see("/orders/1?kind=address")) == ["Address changed"]
    assert "It cannot be read at the moment." in browser.see("/customers/ALICE")

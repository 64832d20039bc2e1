"""What a form would do is told as its page would show it, and nothing is sent."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.aggregates.command_handler import handle
from tasks.accept import accept
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.desk import (
    Do,
    add_clock,
    alice,
    note,
    pay,
    place,
    rename,
)
from tests.support.parking import park_stream
from tests.support.visiting import (
    TYPED_CLOCKS,
    Browser,
    Work,
    hidden_of,
    told_on,
    value_of,
)
from tests.webapp.test_dropped_read_models import drop
from tests.webapp.test_undecided import SHAPES, forge
from webapp import create_app

Try = Callable[..., TestResponse]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """As they come: who does not pay within 30 days does not get it."""
    return replace(settings, unpaid_days=30)


@pytest.fixture
def tried(browser: Browser) -> Try:
    """Open a form, type into it, and press "Try it"."""

    def tried(path: str, **typed: str) -> TestResponse:
        return browser.send(path, **{**typed, "try": "1"})

    return tried


def test_an_order_that_is_placed_says_when_it_would_be_cancelled(
    shop: Shop, tried: Try, do: Do
) -> None:
    do(alice)
    page = tried("/orders/new", **TYPED_CLOCKS)

    assert "If nothing is paid, it is cancelled on " in told_on(page)


def test_the_money_of_an_order_is_told_where_it_stays_too(tried: Try, do: Do) -> None:
    do(alice, place)
    page = told_on(tried("/orders/1/payment", amount="8.99"))

    assert "Status pending pending Total 108.99 EUR 108.99 EUR" in page
    assert "Paid 0.00 EUR 8.99 EUR Due 108.99 EUR 100.00 EUR" in page
    assert "Payments nothing 1 payment: payment 1, amount 8.99 EUR" in page


def test_the_rule_that_would_refuse_it_is_told_on(tried: Try, do: Do) -> None:
    do(alice, place)
    page = tried("/orders/1/payment", amount="200.00")

    assert page.status_code == 200
    assert told_on(page).startswith("It would be refused Of the 108.99 EUR that this")
    assert "Now" not in told_on(page)


def test_what_is_tried_can_still_be_sent(
    browser: Browser, client: FlaskClient, tried: Try, do: Do, work: Work
) -> None:
    do(alice, place)
    page = tried("/orders/1/payment", amount="8.99")
    sent = client.post(
        "/orders/1/payment", data={**hidden_of(page.text), "amount": "8.99"}
    )
    work(sent)

    assert "The payment of order 1 is noted" in browser.fate(sent)


def test_what_others_have_done_meanwhile_is_told_on(
    browser: Browser, client: FlaskClient, do: Do
) -> None:
    do(alice, place)
    form = hidden_of(browser.see("/orders/1/payment"))
    do(replace(pay, amount=899))
    page = client.post("/orders/1/payment", data={**form, "amount": "5", "try": "1"})

    assert "Somebody else has changed it meanwhile." in told_on(page)


def test_what_waits_before_it_is_counted(shop: Shop, tried: Try, do: Do) -> None:
    do(alice, place)
    for key in ("one", "two"):
        accept(shop, note, key=key, principal="staff")
    assert "2 commands wait before it, and each may change this." in told_on(
        tried("/orders/1/cancel", reason="no")
    )


def test_faults_and_doubts_are_told_as_when_it_is_sent(tried: Try, do: Do) -> None:
    do(alice, add_clock)
    empty = tried("/customers/new", email="a@b")
    dear = {**TYPED_CLOCKS, "items.0.product": "RC-1", "items.0.unit_price": "1.00"}
    del dear["items.0.own"]
    doubtful = tried("/orders/new", **dear)

    assert empty.status_code == doubtful.status_code == 422
    assert "Name is missing." in told_on(empty)
    assert "is far from the list's price, 49.50 EUR" in told_on(doubtful)
    meant = tried("/orders/new", **dear, confirmed="items.0.unit_price")
    assert "Order placed" in told_on(meant)


def test_empty_lines_stay_and_do_not_count(tried: Try, do: Do) -> None:
    do(alice)
    typed = {**TYPED_CLOCKS, "items.1.product": "", "items.2.product": ""}
    page = tried("/orders/new", **typed)

    assert "Order placed : 1 line" in told_on(page)
    assert "items.2.product" in page.text


def test_a_form_without_its_token_is_not_tried(client: FlaskClient, do: Do) -> None:
    do(alice, place)
    page = client.post("/orders/1/payment", data={"amount": "5", "try": "1"})

    assert page.status_code == 403
    assert "Now" not in told_on(page)


def test_two_buttons_are_not_pressed_at_once(tried: Try, do: Do) -> None:
    do(alice)

    assert tried("/orders/new", **TYPED_CLOCKS, check="1").status_code == 400


def test_while_the_database_is_away_what_was_typed_stays(away: FlaskClient) -> None:
    form = hidden_of(away.get("/customers/new").text)
    page = away.post("/customers/new", data={**form, "name": "Bob", "try": "1"})

    assert page.status_code == 503
    assert "The shop's database is away" in told_on(page)
    assert value_of(page.text, "name") == "Bob"


@pytest.mark.parametrize("shape", SHAPES)
def test_a_stream_that_cannot_be_read_says_that_it_would_wait(
    shop: Shop, client: FlaskClient, browser: Browser, do: Do, shape: str
) -> None:
    do(alice, place)
    form = hidden_of(browser.see("/orders/1/cancel"))
    forge(shop, "order-1", *SHAPES[shape])
    page = client.post("/orders/1/cancel", data={**form, "reason": "x", "try": "1"})

    assert page.status_code == 503
    assert "Sent, it would be accepted and wait" in told_on(page)


def test_without_its_read_model_the_events_are_told_alone(
    shop: Shop, client: FlaskClient, browser: Browser, do: Do
) -> None:
    do(alice, place)
    form = hidden_of(browser.see("/orders/1/cancel"))
    drop(shop, "TABLE readmodels.order_details_g1")
    page = client.post("/orders/1/cancel", data={**form, "reason": "x", "try": "1"})

    assert "Cancelled : x" in told_on(page)
    assert "its rows are not there at the moment, or are old" in told_on(page)


def test_of_a_row_that_is_old_nothing_is_told(shop: Shop, tried: Try, do: Do) -> None:
    do(alice, place)
    park_stream(shop, "order_details", "order-1", 3)
    page = tried("/orders/1/cancel", reason="x")

    assert "its rows are not there at the moment, or are old" in told_on(page)


def test_of_rows_that_are_far_behind_nothing_is_told(
    shop: Shop, tried: Try, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place)
    with shop.lent() as connection:
        handle(connection, rename, deciders=shop.deciders, actor="staff")
    monkeypatch.setattr("eventstore.explaining.row_preview.MAX_UNREAD", 0)
    page = tried("/orders/1/cancel", reason="x")

    assert "its rows are not there at the moment, or are old" in told_on(page)


def test_what_the_read_model_has_not_read_yet_counts(
    shop: Shop, tried: Try, do: Do
) -> None:
    do(alice, place)
    with shop.lent() as connection:
        for command in (replace(pay, amount=1_899), rename):
            handle(connection, command, deciders=shop.deciders, actor="staff")
    page = told_on(tried("/orders/1/note", text="x", customer_id="ALICE"))

    assert "Paid 18.99 EUR 18.99 EUR Due 90.00 EUR 90.00 EUR" in page


def test_the_rights_of_the_web_suffice(shop: Shop, do: Do) -> None:
    do(alice, place)
    url = as_role(shop.settings.database_url, "web")
    web = Shop(replace(shop.settings, database_url=url, role="web"))
    browser = Browser(create_app(web).test_client())
    paid = browser.send("/orders/1/payment", amount="8.99", **{"try": "1"})
    typed = {"name": "Bob", "email": "alice@example.com", "try": "1"}
    taken = browser.send("/customers/new", **typed)
    web.close()

    assert "Payment received" in told_on(paid)
    assert "Another customer is registered with this e-mail" in told_on(taken)

"""A session that ran out in the middle of a form: log in, and it is there again."""

import time
from collections.abc import Mapping
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.sessions import IDLE
from eventstore.access.users import set_roles
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place
from tests.support.logged_in import (
    HERE,
    PASSWORD,
    BrowserClient,
    hidden_in,
    log_in,
    new_browser,
    person,
)
from tests.support.visiting import TYPED_CLOCKS, fields_of, value_of
from webapp.login.held_forms import box_of

TYPED = {"name": "Frau Ünal", "email": "uenal@example.com", "phone": "0621-08460"}


@pytest.fixture
def browser(app: Flask, shop: Shop) -> BrowserClient:
    """The browser in which bob, who sells, is logged in; alice is somebody else."""
    return bobs_browser(app, shop)


def bobs_browser(app: Flask, shop: Shop) -> BrowserClient:
    person(shop, "bob", "sales")
    person(shop, "alice", "admin")
    client = new_browser(app)
    log_in(client, "bob")
    return client


def end_sessions(app: Flask, shop: Shop) -> None:
    with shop.lent() as connection:
        connection.execute("UPDATE access.sessions SET seen_at = '2020-01-01 00:00+00'")
    app.extensions["sessions"].known.clear()


def send_late(
    app: Flask,
    shop: Shop,
    browser: FlaskClient,
    path: str = "/customers/new",
    typed: Mapping[str, str] = TYPED,
) -> TestResponse:
    """Type into a form, let the session run out, and send it."""
    hidden = hidden_in(browser.get(path, base_url=HERE).text)
    end_sessions(app, shop)
    return browser.post(path, data={**hidden, **typed}, base_url=HERE)


def log_in_on(
    browser: FlaskClient, page: TestResponse, name: str = "bob", **other: str
) -> TestResponse:
    """Log in on the page that came instead."""
    typed = {"name": name, "password": PASSWORD, **other}
    return browser.post("/login", data={**hidden_in(page.text), **typed}, base_url=HERE)


def accepted(shop: Shop) -> int:
    with shop.lent() as connection:
        row = connection.execute("SELECT count(*) FROM commands").fetchone()
    assert row is not None
    return int(row[0])


def test_what_was_typed_is_there_again_after_the_login_and_is_sent_by_its_sender_alone(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    page = send_late(app, shop, browser)
    assert page.status_code == 401
    assert "what you typed is there again" in page.text

    again = log_in_on(browser, page)
    assert again.status_code == 200
    assert {name: value_of(again.text, name) for name in TYPED} == TYPED
    assert "Nothing was sent" in again.text or "nothing was sent" in again.text
    assert accepted(shop) == 0

    hidden = hidden_in(again.text)
    sent = browser.post("/customers/new", data={**hidden, **TYPED})
    assert sent.status_code == 303
    assert accepted(shop) == 1


def test_the_form_has_the_token_of_the_new_session_and_its_own_key(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    before = hidden_in(browser.get("/customers/new").text)
    end_sessions(app, shop)
    page = browser.post("/customers/new", data={**before, **TYPED})
    after = hidden_in(log_in_on(browser, page).text)

    assert after["csrf_token"] != before["csrf_token"]
    # So that a form which was accepted after all is not accepted twice.
    assert after["key"] == before["key"]


def test_all_lines_of_an_order_are_there_again(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    typed = {
        **TYPED_CLOCKS,
        **{f"items.{n}.product": f"LAMP {n}" for n in range(100)},
        **{f"items.{n}.quantity": str(n) for n in range(100)},
        **{f"items.{n}.unit_price": "12.50" for n in range(100)},
    }
    page = send_late(app, shop, browser, "/orders/new", typed)
    again = log_in_on(browser, page).text

    shown = {name: value_of(again, name) for name in typed if not name.endswith("own")}
    assert shown == {n: text for n, text in typed.items() if not n.endswith("own")}


def test_a_new_customer_and_the_order_are_there_again(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    typed = {**TYPED, "address.city": "Bonn", "items.0.product": "LAMP"}
    page = send_late(app, shop, browser, "/orders/new/first", typed)
    again = log_in_on(browser, page).text

    assert 'action="/orders/new/first"' in again
    assert {name: value_of(again, name) for name in typed} == typed


def test_an_action_on_an_order_is_there_again(app: Flask, shop: Shop, do: Do) -> None:
    do(alice, place)
    browser = bobs_browser(app, shop)
    note = {"text": "Call before noon"}
    again = log_in_on(browser, send_late(app, shop, browser, "/orders/1/note", note))

    assert 'action="/orders/1/note"' in again.text
    assert "Call before noon" in again.text


def test_a_login_that_fails_keeps_it(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    page = send_late(app, shop, browser)
    failed = log_in_on(browser, page, password="wrong password")
    assert failed.status_code == 401

    again = log_in_on(browser, failed)
    assert value_of(again.text, "name") == TYPED["name"]


def test_nobody_reads_in_the_login_what_was_typed(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    page = send_late(app, shop, browser)

    assert hidden_in(page.text)["held"]
    for text in (*TYPED.values(), "nal", "customers.register"):
        assert text not in page.text


def test_somebody_else_who_logs_in_in_that_browser_sees_nothing_of_it(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    page = send_late(app, shop, browser)
    held = hidden_in(page.text)["held"]
    other = log_in_on(browser, page, "alice")

    assert other.status_code == 303
    seen = browser.get(other.headers["Location"]).text
    for text in TYPED.values():
        assert text not in seen
    # Nor by sending it again, as bob's or in another browser.
    assert log_in(browser, "alice", held=held).status_code == 303
    elsewhere = new_browser(app)
    assert log_in(elsewhere, "bob", held=held).status_code == 303
    assert log_in(browser, "bob", held=held).status_code == 303


def test_without_the_user_in_its_key_somebody_else_reads_what_was_typed(
    app: Flask, shop: Shop, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative control: the key is made of the browser alone."""
    monkeypatch.setattr(
        "webapp.login.held_forms.box_of", lambda _, browser: box_of("anybody", browser)
    )
    other = log_in_on(browser, send_late(app, shop, browser), "alice")

    assert TYPED["email"] in other.text


def test_it_is_kept_for_a_time(
    app: Flask, shop: Shop, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = send_late(app, shop, browser)
    later = time.time() + IDLE.total_seconds() + 1
    monkeypatch.setattr("cryptography.fernet.time.time", lambda: later)

    assert log_in_on(browser, page).status_code == 303


@pytest.mark.parametrize("held", ["x", "gAAAAA", "=", "é", "A" * 1000])
def test_what_is_no_form_of_ours_is_no_form(browser: BrowserClient, held: str) -> None:
    assert log_in(browser, "bob", held=held).status_code == 303


def test_a_stolen_form_without_a_session_leads_to_the_login_and_keeps_nothing(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    """With its token, which is another browser's, and without any cookie."""
    hidden = hidden_in(browser.get("/customers/new").text)
    thief = new_browser(app)
    answer = thief.post("/customers/new", data={**hidden, **TYPED})

    assert answer.status_code == 401
    assert "held" not in hidden_in(answer.text)
    assert accepted(shop) == 0
    # Nor is it accepted with somebody else's session.
    log_in(thief, "alice")
    answer = thief.post("/customers/new", data={**hidden, **TYPED})
    assert answer.status_code == 403
    assert accepted(shop) == 0


def test_a_form_without_its_token_is_not_kept(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    end_sessions(app, shop)
    answer = browser.post("/customers/new", data=TYPED)

    assert answer.status_code == 401
    assert "held" not in hidden_in(answer.text)


def test_a_form_that_one_may_not_send_any_more_is_not_shown(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    page = send_late(app, shop, browser)
    with shop.lent() as connection:
        set_roles(connection, "bob", ["warehouse"])
    answer = log_in_on(browser, page)

    assert answer.status_code == 303
    assert browser.get(answer.headers["Location"]).status_code == 403


def test_after_signing_out_in_another_tab_what_was_typed_is_there_again_too(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    hidden = hidden_in(browser.get("/customers/new").text)
    out = hidden_in(browser.get("/logout").text)
    browser.post("/logout", data=out)
    page = browser.post("/customers/new", data={**hidden, **TYPED})

    assert value_of(log_in_on(browser, page).text, "name") == TYPED["name"]
    assert accepted(shop) == 0


def test_a_password_that_was_typed_is_not_kept(app: Flask, shop: Shop) -> None:
    person(shop, "alice", "admin")
    browser = new_browser(app)
    log_in(browser, "alice")
    page = send_late(
        app, shop, browser, "/users", {"name": "bob", "password": "a secret of bob"}
    )

    assert page.status_code == 401
    assert "held" not in hidden_in(page.text)


def test_a_form_that_is_too_large_is_not_kept_either(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    answer = send_late(app, shop, browser, typed={"name": "x" * 70_000})

    assert answer.status_code == 413


def test_what_was_typed_for_many_orders_is_there_again(
    app: Flask, shop: Shop, do: Do
) -> None:
    do(alice, place, place, pay, replace(pay, order_id=2))
    person(shop, "wim", "warehouse")
    browser = new_browser(app)
    log_in(browser, "wim")
    asked = browser.get("/orders/many?action=shipment&order=1&order=2", base_url=HERE)
    fields = fields_of(asked.text)
    typed = {"tracking_no.1": "1Z1", "tracking_no.2": ""}
    end_sessions(app, shop)
    page = browser.post("/orders/many", data={**fields, **typed}, base_url=HERE)
    again = log_in_on(browser, page, name="wim")

    assert again.status_code == 200
    assert {name: value_of(again.text, name) for name in typed} == typed
    assert fields_of(again.text)["key"] == fields["key"]
    assert fields_of(again.text)["order"] == ["1", "2"]
    assert "nothing was sent" in again.text


def test_a_form_that_cannot_be_shown_now_keeps_nobody_from_logging_in(
    app: Flask, shop: Shop, do: Do
) -> None:
    do(alice, place, pay)
    person(shop, "wim", "warehouse")
    browser = new_browser(app)
    log_in(browser, "wim")
    path = "/orders/many?action=shipment&order=1"
    fields = fields_of(browser.get(path, base_url=HERE).text)
    end_sessions(app, shop)
    page = browser.post("/orders/many", data=fields, base_url=HERE)
    with shop.lent() as connection:
        connection.execute("DROP VIEW readmodels.order_details")
    again = log_in_on(browser, page, name="wim")

    assert again.status_code == 303
    assert browser.get("/me").status_code == 200

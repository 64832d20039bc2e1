"""The session of a login: its id, how it ends, and what is kept of it."""

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access import sessions
from eventstore.access.sessions import IDLE, MAX_AGE, hash_of
from eventstore.access.users import set_disabled, set_password
from tasks.shop.wiring import Shop
from tests.support.logged_in import (
    PASSWORD,
    BrowserClient,
    another_browser,
    browser_of,
    hidden_in,
    log_in,
    new_browser,
    person,
    quick_hash,
)
from tests.support.settings import SECRET_KEY
from tests.support.waiting import wait_until
from webapp import create_app
from webapp.login.sessions import login_cookie
from webapp.problems import Problem


@pytest.fixture
def browser(app: Flask, shop: Shop) -> BrowserClient:
    """The browser in which alice is logged in, who is an admin."""
    return browser_of(app, shop, "alice", "admin")


def secret_in(browser: FlaskClient) -> str:
    cookie = browser.get_cookie(login_cookie(SECRET_KEY), domain="127.0.0.1")
    assert cookie is not None
    return cookie.value


def is_in(browser: FlaskClient) -> bool:
    return browser.get("/orders").status_code == 200


def sign_out(browser: FlaskClient, **button: str) -> TestResponse:
    hidden = hidden_in(browser.get("/logout").text)
    return browser.post("/logout", data={**hidden, **button})


def wait_until_out(browser: FlaskClient) -> None:
    wait_until(lambda: not is_in(browser), "the web has seen the end", seconds=5)


def test_each_login_has_a_new_id_and_ends_the_session_before_it(
    app: Flask, shop: Shop
) -> None:
    person(shop, "alice", "admin")
    browser, thief = new_browser(app), new_browser(app)
    log_in(browser, "alice")
    first = secret_in(browser)
    thief.set_cookie(login_cookie(SECRET_KEY), first, domain="127.0.0.1")
    assert is_in(thief)
    hidden = hidden_in(browser.get("/logout").text)
    browser.post("/login", data={**hidden, "name": "alice", "password": PASSWORD})

    assert secret_in(browser) != first
    assert is_in(browser)
    assert not is_in(thief)


@pytest.mark.parametrize("planted", ["x" * 43, "A" * 43, "", "x", "a.b", "é" * 43])
def test_an_id_that_was_planted_in_a_browser_is_nobodys_session(
    app: Flask, shop: Shop, planted: str
) -> None:
    """A page on another port of this computer may set our cookies."""
    person(shop, "alice", "admin")
    browser, planter = new_browser(app), new_browser(app)
    for client in (browser, planter):
        client.set_cookie(login_cookie(SECRET_KEY), planted, domain="127.0.0.1")
        assert not is_in(client)
    hidden = hidden_in(browser.get("/login").text)
    browser.post("/login", data={**hidden, "name": "alice", "password": PASSWORD})

    assert is_in(browser)
    assert secret_in(browser) != planted
    assert not is_in(planter)


def test_a_login_leaves_no_token_of_a_form_from_before_it(
    app: Flask, shop: Shop
) -> None:
    person(shop, "alice", "admin")
    browser = new_browser(app)
    planted = hidden_in(browser.get("/login").text)["csrf_token"]
    log_in(browser, "alice")

    answer = browser.post("/customers/new", data={"csrf_token": planted, "name": "Bob"})
    assert answer.status_code == 403


def test_only_the_hash_of_a_session_is_kept(shop: Shop, browser: BrowserClient) -> None:
    with shop.lent() as connection:
        rows = connection.execute("SELECT s::text, hash FROM access.sessions AS s")
        ((text, hashed),) = rows.fetchall()

    assert hashed == hash_of(secret_in(browser))
    assert secret_in(browser) not in text


def test_who_signs_out_is_out_here_alone(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    other, secret = another_browser(app, shop, "alice"), secret_in(browser)
    answer = sign_out(browser)

    assert answer.headers["Location"] == "/login"
    assert not is_in(browser)
    assert is_in(other)
    # Who has kept the cookie has nothing.
    browser.set_cookie(login_cookie(SECRET_KEY), secret, domain="127.0.0.1")
    assert not is_in(browser)


def test_who_signs_out_everywhere_is_out_in_all_browsers(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    other = another_browser(app, shop, "alice")
    bobs = browser_of(app, shop, "bob", "sales")
    sign_out(browser, everywhere="1")

    assert not is_in(browser)
    wait_until_out(other)
    assert is_in(bobs)


@pytest.mark.parametrize("how", ["disabled", "password", "idle", "long"])
def test_a_session_ends(shop: Shop, browser: BrowserClient, how: str) -> None:
    assert is_in(browser)
    with shop.lent() as connection:
        match how:
            case "disabled":
                set_disabled(connection, "alice", is_disabled=True)
            case "password":
                set_password(connection, "alice", quick_hash("another password"))
            case "idle":
                set_age(connection, "seen_at", IDLE)
            case "long":
                set_age(connection, "created_at", MAX_AGE)

    wait_until_out(browser)
    assert "Log in" in browser.get("/orders").text


def set_age(connection: psycopg.Connection[Any], column: str, age: timedelta) -> None:
    connection.execute(
        f"UPDATE access.sessions SET {column} = clock_timestamp() - %s", (age,)
    )


def test_a_session_that_is_used_goes_on(shop: Shop, browser: BrowserClient) -> None:
    with shop.lent() as connection:
        set_age(connection, "seen_at", IDLE - timedelta(minutes=5))
        assert is_in(browser)
        row = connection.execute(
            "SELECT clock_timestamp() - seen_at < interval '1 minute'"
            " FROM access.sessions"
        ).fetchone()

    assert row == (True,)


def test_a_session_is_good_in_all_processes(
    shop: Shop, app: Flask, browser: BrowserClient
) -> None:
    other = new_browser(create_app(shop))
    other.set_cookie(login_cookie(SECRET_KEY), secret_in(browser), domain="127.0.0.1")

    assert is_in(other)
    sign_out(browser)
    wait_until_out(other)


def test_a_session_is_looked_up_once_and_not_again_for_a_moment(
    app: Flask, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[bytes] = []
    known = app.extensions["sessions"]
    monkeypatch.setattr("webapp.login.sessions.FRESH", 3600)
    real = sessions.find_session

    def look(connection: psycopg.Connection[Any], hashed: bytes) -> object:
        looks.append(hashed)
        return real(connection, hashed)

    monkeypatch.setattr("webapp.login.sessions.sessions.find_session", look)
    for _ in range(10):
        assert is_in(browser)
    assert len(looks) == 1

    known.known.clear()
    assert is_in(browser)
    assert len(looks) == 2


def away(*_: object) -> None:
    raise psycopg.OperationalError("connection refused")


def test_what_is_sent_on_trust_while_the_database_is_away_is_not_accepted(
    app: Flask, shop: Shop, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is there, and what was typed; but nobody acts by an earlier session."""
    hidden = hidden_in(browser.get("/customers/new").text)
    with shop.lent() as connection:
        set_disabled(connection, "alice", is_disabled=True)
    monkeypatch.setattr("webapp.login.sessions.FRESH", 0)
    with monkeypatch.context() as patched:
        patched.setattr("webapp.login.sessions.ask", raise_away)
        sent = browser.post("/customers/new", data={**hidden, "name": "Bob"})

    # The database was back when the command was to be accepted.
    assert sent.status_code == 401
    with shop.lent() as connection:
        assert connection.execute("SELECT count(*) FROM commands").fetchone() == (0,)


def raise_away(_: object) -> None:
    raise Problem("unavailable")


def test_a_form_sent_while_the_database_is_away_keeps_what_was_typed(
    app: Flask, shop: Shop, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = hidden_in(browser.get("/customers/new").text)
    monkeypatch.setattr("webapp.login.sessions.FRESH", 0)
    monkeypatch.setattr("webapp.login.sessions.ask", raise_away)
    monkeypatch.setattr("webapp.login.sessions.sessions.find_session", away)
    sent = browser.post("/customers/new", data={**hidden, "name": "Bob"})

    assert sent.status_code == 503
    assert 'value="Bob"' in sent.text
    assert "database is away" in sent.text


def test_a_session_that_was_never_seen_is_not_taken_on_trust(
    app: Flask, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.login.sessions.ask", raise_away)

    assert browser.get("/orders").status_code == 503

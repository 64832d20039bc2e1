"""The login of the pages: who is let in, and what those hear who are not."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.users import add_user, set_disabled, set_password
from tasks import catch_up, commands
from tasks.shop.passwords import hash_by, hash_password
from tasks.shop.wiring import Shop
from tests.support.logged_in import (
    HERE,
    PASSWORD,
    BrowserClient,
    another_browser,
    hidden_in,
    log_in,
    new_browser,
    person,
)
from tests.support.settings import SECRET_KEY
from tests.support.users import bearing, token_of
from webapp import create_app
from webapp.login.browsers import BY_ADDRESS, BY_NAME
from webapp.login.sessions import login_cookie
from webapp.login.views import WRONG


@pytest.fixture
def alice(shop: Shop) -> str:
    person(shop, "alice", "admin")
    return "alice"


@pytest.fixture
def browser(app: Flask, alice: str) -> BrowserClient:
    return new_browser(app)


def secret_in(browser: FlaskClient) -> str | None:
    cookie = browser.get_cookie(login_cookie(SECRET_KEY), domain="127.0.0.1")
    return None if cookie is None else cookie.value


def without_tokens(page: TestResponse, typed: str) -> str:
    """Return a page without what differs each time, and without what was typed."""
    text = page.text.replace(" autofocus", "").replace(f' value="{typed}"', ' value=""')
    for value in hidden_in(page.text).values():
        text = text.replace(value, "…")
    return text


def test_a_name_and_its_password_open_the_pages(browser: BrowserClient) -> None:
    asked = browser.get("/orders")
    assert asked.status_code == 401
    assert "Log in" in asked.text

    assert log_in(browser, "alice").status_code == 303
    page = browser.get("/orders")
    assert page.status_code == 200
    assert "alice" in page.text
    assert "There is no login yet" not in page.text


@pytest.mark.parametrize("name", [" alice ", "Alice", "ALICE"])
def test_a_name_is_read_as_people_type_it(browser: BrowserClient, name: str) -> None:
    assert log_in(browser, name).status_code == 303


@pytest.mark.parametrize(
    "password", ["", " ", PASSWORD[:-1], PASSWORD + " ", PASSWORD.upper(), "x" * 5000]
)
def test_another_password_opens_nothing(browser: BrowserClient, password: str) -> None:
    answer = log_in(browser, "alice", password)

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers or secret_in(browser) is None
    assert browser.get("/orders").status_code == 401


@pytest.mark.parametrize(
    "name", ["zoe", "bob", "carl", "", "local", "a\0b", "é", "process:transfers", "-"]
)
def test_an_unknown_name_hears_what_a_wrong_password_hears(
    browser: BrowserClient, shop: Shop, name: str
) -> None:
    """Nor does one without a password, or one who was shut out."""
    with shop.lent() as connection:
        add_user(connection, "bob", ["sales"])
    person(shop, "carl", "sales")
    with shop.lent() as connection:
        set_disabled(connection, "carl", is_disabled=True)

    known = log_in(browser, "alice", "not the password")
    unknown = log_in(browser, name)

    assert unknown.status_code == known.status_code == 401
    assert WRONG in unknown.text
    assert without_tokens(unknown, name) == without_tokens(known, "alice")
    assert set(unknown.headers.keys()) == set(known.headers.keys())


def test_an_unknown_name_takes_as_long_as_a_wrong_password(
    app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    medians = medians_of_logins(app, shop, monkeypatch)

    assert max(medians.values()) < 1.5 * min(medians.values()), medians


def test_without_the_hash_for_nobody_an_unknown_name_is_told_by_the_time(
    app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative control: nothing is hashed where there is nothing to compare."""

    def hash_by_known(method: str | None, password: str) -> str:
        return hash_by(method, password) if method else ""

    monkeypatch.setattr("webapp.login.views.hash_by", hash_by_known)
    medians = medians_of_logins(app, shop, monkeypatch)

    for unknown in ("zoe", "bob"):
        assert medians["alice"] > 1.5 * medians[unknown], medians


def medians_of_logins(
    app: Flask, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> dict[str, float]:
    """
    Return the median seconds of logins with a wrong password.

    Of alice, of a name that is not known, and of a user without a password; each in
    turn, so that a busy machine is slow for all.
    """
    monkeypatch.setattr("webapp.login.browsers.BY_NAME", (1000, BY_NAME[1]))
    monkeypatch.setattr("webapp.login.browsers.BY_ADDRESS", (1000, BY_ADDRESS[1]))
    person(shop, "alice", "admin")
    with shop.lent() as connection:
        # By the method of a real one.
        set_password(connection, "alice", hash_password(PASSWORD))
        add_user(connection, "bob", ["sales"])
    browser = new_browser(app)
    hidden = hidden_in(browser.get("/login").text)
    took: dict[str, list[float]] = {"alice": [], "zoe": [], "bob": []}
    for _ in range(15):
        for name, times in took.items():
            begun = time.perf_counter()
            typed = {**hidden, "name": name, "password": "not the password"}
            assert browser.post("/login", data=typed).status_code == 401
            times.append(time.perf_counter() - begun)
    return {name: statistics.median(times) for name, times in took.items()}


def test_so_many_wrong_passwords_of_a_name_and_no_more(browser: BrowserClient) -> None:
    allowed, _ = BY_NAME
    for _ in range(allowed):
        assert log_in(browser, "alice", "wrong password").status_code == 401

    refused = log_in(browser, "alice")
    assert refused.status_code == 429
    assert 60 < int(refused.headers["Retry-After"]) <= 91
    assert "Try again in" in refused.text
    # Of others nothing is known here.
    assert log_in(browser, "zoe").status_code == 401


def test_an_unknown_name_is_counted_alike(browser: BrowserClient) -> None:
    allowed, _ = BY_NAME
    answers = [log_in(browser, "zoe").status_code for _ in range(allowed + 1)]

    assert answers == [401] * allowed + [429]


def test_an_address_is_counted_over_all_names(
    browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.login.browsers.BY_ADDRESS", (5, BY_ADDRESS[1]))
    answers = [log_in(browser, f"user{n}").status_code for n in range(6)]

    assert answers == [401] * 5 + [429]


def test_what_is_counted_is_counted_over_all_processes(
    browser: BrowserClient, shop: Shop
) -> None:
    other = new_browser(create_app(shop))
    allowed, _ = BY_NAME
    for number in range(allowed):
        log_in((browser, other)[number % 2], "alice", "wrong password")

    assert log_in(browser, "alice").status_code == 429
    assert log_in(other, "alice").status_code == 429


def test_no_stranger_locks_a_name_out_of_a_browser_where_it_was_known(
    app: Flask, browser: BrowserClient
) -> None:
    log_in(browser, "alice")
    log_out(browser)
    stranger = new_browser(app)
    for _ in range(BY_NAME[0] + 1):
        log_in(stranger, "alice", "wrong password")
    assert log_in(stranger, "alice").status_code == 429

    assert log_in(browser, "alice").status_code == 303


def test_without_known_browsers_a_stranger_locks_a_name_out_of_all(
    app: Flask, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A negative control: every browser is counted as a stranger's."""
    monkeypatch.setattr("webapp.login.browsers.browser_of", lambda _: None)
    log_in(browser, "alice")
    stranger = new_browser(app)
    for _ in range(BY_NAME[0] + 1):
        log_in(stranger, "alice", "wrong password")

    assert log_in(browser, "alice").status_code == 429


def test_a_known_browser_is_known_for_one_name_and_guesses_no_more_than_others(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    person(shop, "mallory", "sales")
    for _ in range(BY_NAME[0] + 2):
        log_in(browser, "mallory")
        log_in(browser, "alice", "wrong password")

    assert log_in(browser, "alice", "wrong password").status_code == 429
    for _ in range(BY_NAME[0]):
        log_in(browser, "mallory", "wrong password")
    assert log_in(browser, "mallory").status_code == 429


def test_who_logs_in_often_is_never_held_up(browser: BrowserClient) -> None:
    for _ in range(2 * BY_NAME[0]):
        assert log_in(browser, "alice").status_code == 303


def test_what_was_typed_as_a_name_is_in_no_table_and_no_log(
    browser: BrowserClient, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """People type passwords there."""
    log_in(browser, "my-secret-word", "my-other-word")
    log_in(browser, "alice")

    with shop.lent() as connection:
        rows = connection.execute("SELECT f::text FROM access.failed_logins AS f")
        kept = str(rows.fetchall())
    for secret in ("my-secret-word", "my-other-word", PASSWORD, secret_in(browser)):
        assert secret is not None
        assert secret not in kept
        assert secret.encode().hex() not in kept
        assert secret not in caplog.text
    assert "alice has logged in" in caplog.text


def test_one_password_is_hashed_at_a_time(
    app: Flask, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, most = [0], [0]

    def slowly(*_: object) -> str:
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.01)
        running[0] -= 1
        return "$argon2id$"

    monkeypatch.setattr("webapp.login.views.hash_by", slowly)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda n: log_in(new_browser(app), f"u{n}").status_code, range(8))
        )

    assert answers == [401] * 8
    assert most == [1]


@pytest.mark.parametrize(
    "wanted",
    ["/orders?status=paid&sort=-total", "/customers/new", "/orders/7?as_of=2026-01-31"],
)
def test_the_page_that_was_wanted_is_shown_after_the_login(
    browser: BrowserClient, wanted: str
) -> None:
    hidden = hidden_in(browser.get(wanted).text)
    assert hidden["next"] == wanted

    answer = browser.post(
        "/login", data={**hidden, "name": "alice", "password": PASSWORD}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        "http://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/orders\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "http:/orders",
        "http:orders",
        "orders",
        "//127.0.0.1:8000/orders",
        "/nothing",
        "/api/orders",
        "/logout",
        "/login?next=/orders",
        "/" + "x" * 5000,
        "/%2f%2fevil.example",
    ],
)
def test_the_login_leads_to_pages_of_ours_alone(
    browser: BrowserClient, wanted: str
) -> None:
    answer = log_in(browser, "alice", next=wanted)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    asked = new_browser(browser.application).get(
        "/login", query_string={"next": wanted}
    )
    assert "evil" not in asked.text


def test_who_is_logged_in_is_not_asked_again(browser: BrowserClient) -> None:
    log_in(browser, "alice")

    answer = browser.get("/login")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")


def test_the_cookie_is_kept_from_scripts_other_sites_and_the_disk(
    browser: BrowserClient,
) -> None:
    cookies = log_in(browser, "alice").headers.getlist("Set-Cookie")
    (login,) = [one for one in cookies if one.startswith(login_cookie(SECRET_KEY))]

    assert "HttpOnly" in login
    assert "SameSite=Lax" in login
    assert "Path=/" in login
    assert "Secure" not in login
    # It goes when the browser is closed.
    assert "Expires" not in login
    assert "Max-Age" not in login
    for other in cookies:
        assert "HttpOnly" in other
        assert "SameSite=Lax" in other


def test_under_https_the_cookies_of_the_login_are_for_https_alone(
    app: Flask, alice: str
) -> None:
    client = new_browser(app)
    there = "https://127.0.0.1:5000"
    page = client.get("/login", base_url=there)
    assert "Secure" in page.headers["Set-Cookie"]
    hidden = hidden_in(page.text)
    cookies = client.post(
        "/login",
        data={**hidden, "name": "alice", "password": PASSWORD},
        base_url=there,
        headers={"Referer": f"{there}/login"},
    ).headers.getlist("Set-Cookie")

    for kind in ("-login=", "-known-"):
        (cookie,) = [one for one in cookies if kind in one]
        assert "Secure" in cookie


def test_no_cookie_tells_the_name_of_who_has_logged_in(browser: BrowserClient) -> None:
    cookies = log_in(browser, "alice").headers.getlist("Set-Cookie")

    assert [one for one in cookies if "-known-" in one]
    assert not [one for one in cookies if "-known-" in one and "alice" in one]


def test_the_form_of_the_login_has_its_token(
    app: Flask, browser: BrowserClient
) -> None:
    answer = browser.post("/login", data={"name": "alice", "password": PASSWORD})

    assert answer.status_code == 403
    # It is shown again, with a token.
    assert "grown old" in answer.text
    again = browser.post(
        "/login",
        data={**hidden_in(answer.text), "name": "alice", "password": PASSWORD},
    )
    assert again.status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_on_another_port_of_this_computer_neither_logs_in_nor_out_nor_sends(
    app: Flask, shop: Shop, browser: BrowserClient, headers: dict[str, str]
) -> None:
    """It has all cookies, which do not know ports, and even the token of a form."""
    mine = another_browser(app, shop, "alice")
    token = hidden_in(mine.get("/customers/new").text)

    for path in ("/login", "/logout", "/customers/new", "/users", "/tokens", "/me"):
        answer = mine.post(path, data={**token, "name": "Eve"}, headers=headers)
        assert answer.status_code == 403, path
        assert "another site" in answer.text
    assert mine.get("/orders").status_code == 200
    with shop.lent() as connection:
        assert connection.execute("SELECT count(*) FROM commands").fetchone() == (0,)


def test_a_login_while_the_database_is_away_says_so_and_keeps_the_name(
    app: Flask, shop: Shop, browser: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise psycopg.OperationalError("connection refused")

    hidden = hidden_in(browser.get("/login").text)
    monkeypatch.setattr("webapp.login.views.begin_login", away)
    answer = browser.post("/login", data={**hidden, "name": "alice", "password": "x"})

    assert answer.status_code == 503
    assert "database is away" in answer.text
    assert 'value="alice"' in answer.text


def test_the_login_works_for_browsers_that_fill_it_in(browser: BrowserClient) -> None:
    page = browser.get("/login").text

    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
    assert 'type="password"' in page
    assert "<script" not in page


def test_the_password_is_never_in_a_page(browser: BrowserClient) -> None:
    page = log_in(browser, "alice", "wrong-password-of-mine").text

    assert "wrong-password-of-mine" not in page


def test_a_part_of_a_page_that_asks_again_becomes_the_login(
    browser: BrowserClient,
) -> None:
    answer = browser.get("/orders", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["HX-Refresh"]) == (401, "true")


def test_a_program_with_a_token_is_no_browser(
    app: Flask, alice: str, shop: Shop
) -> None:
    headers = bearing(token_of(shop, alice))
    assert new_browser(app).get("/orders", headers=headers).status_code == 401


def test_a_session_opens_the_pages_and_not_the_api(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    log_in(browser, "alice")

    assert browser.get("/api/orders").status_code == 401


def test_the_actor_in_the_history_is_who_was_logged_in(
    app: Flask, shop: Shop, browser: BrowserClient
) -> None:
    log_in(browser, "alice")
    hidden = hidden_in(browser.get("/customers/new").text)
    sent = browser.post("/customers/new", data={**hidden, "name": "Bob"})
    assert sent.status_code == 303, sent.text
    commands.run(shop, [UUID(sent.headers["Location"].rpartition("/")[2])])
    catch_up.run(shop)

    with shop.lent() as connection:
        row = connection.execute("SELECT metadata->>'actor' FROM events").fetchone()
        assert row == ("alice",)
        row = connection.execute("SELECT principal FROM commands").fetchone()
        assert row == ("alice",)


def log_out(browser: FlaskClient, **button: str) -> TestResponse:
    hidden = hidden_in(browser.get("/logout", base_url=HERE).text)
    return browser.post("/logout", data={**hidden, **button}, base_url=HERE)

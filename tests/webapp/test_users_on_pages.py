"""The pages of users: the first one, those whom an admin adds, oneself, and tokens."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.for_sessions import add_first_user
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.logged_in import (
    PASSWORD,
    BrowserClient,
    browser_of,
    hidden_in,
    log_in,
    new_browser,
    quick_hash,
)
from tests.support.users import bearing
from tests.support.visiting import hidden_of
from tests.support.waiting import wait_until
from webapp import create_app

TWICE = {"password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def app(shop: Shop) -> Iterator[Flask]:
    """The web with the rights of its role alone."""
    url = as_role(shop.settings.database_url, "web")
    web = Shop(replace(shop.settings, database_url=url))
    yield create_app(web)
    web.close()


@pytest.fixture
def admin(app: Flask, shop: Shop) -> BrowserClient:
    return browser_of(app, shop, "alice", "admin")


def send(browser: FlaskClient, path: str, page: str = "", **typed: str) -> TestResponse:
    token = hidden_in(browser.get(page or path).text)["csrf_token"]
    return browser.post(path, data={"csrf_token": token, **typed})


def row_of(browser: FlaskClient, name: str) -> str:
    """Return what the page of users shows of one, without tags."""
    page = browser.get("/users").text
    found = re.search(
        rf'<tr role="row" id="user-{name}">(.*?)<details', page, re.DOTALL
    )
    assert found is not None, page
    return " ".join(re.sub("<[^>]+>", " ", found[1]).split())


def test_until_the_first_user_each_page_leads_to_making_one(
    client: FlaskClient,
) -> None:
    for path in ("/orders", "/customers/new", "/nothing"):
        page = client.get(path).text
        assert "There is no login yet" in page
        assert 'href="/first-user"' in page
    for path in ("/users", "/tokens", "/me"):
        assert client.get(path).headers["Location"] == "/first-user"


def test_the_first_user_is_an_admin_who_is_logged_in_at_once(
    client: FlaskClient, app: Flask
) -> None:
    page = client.get("/first-user").text
    answer = client.post(
        "/first-user", data={**hidden_of(page), "name": "alice", **TWICE}
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/users")
    # By the cookie: what this computer's programs send opens nothing any more.
    assert row_of(client, "alice").startswith("alice admin a password, signed in")

    assert client.get("/first-user").headers["Location"] == "/users"
    assert new_browser(app).get("/orders").status_code == 401
    assert log_in(new_browser(app), "alice").status_code == 303


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "local", **TWICE}, "not “local”"),
        ({"name": "a b", **TWICE}, "1 to 60 of"),
        ({"name": "", **TWICE}, "1 to 60 of"),
        ({"name": "alice", "password": "short", "again": "short"}, "at least 10"),
        ({"name": "alice", "password": PASSWORD, "again": "other"}, "typed first"),
        ({"name": "alice"}, "at least 10"),
    ],
)
def test_what_is_wrong_with_the_first_user_is_said_and_nobody_is_added(
    client: FlaskClient, typed: dict[str, str], words: str
) -> None:
    hidden = hidden_of(client.get("/first-user").text)
    answer = client.post("/first-user", data={**hidden, **typed})

    assert answer.status_code == 422
    assert words in answer.text
    assert PASSWORD not in answer.text
    assert client.get("/orders").status_code == 200


def test_of_two_who_make_the_first_user_at_once_one_does(
    client: FlaskClient, shop: Shop
) -> None:
    hidden = hidden_of(client.get("/first-user").text)
    client.get("/orders")
    with shop.lent() as connection:
        add_first_user(connection, "bob", quick_hash())
    answer = client.post("/first-user", data={**hidden, "name": "alice", **TWICE})

    assert answer.status_code in (401, 403)
    assert log_in(new_browser(client.application), "bob").status_code == 303


def test_an_admin_adds_a_user_who_logs_in(app: Flask, admin: BrowserClient) -> None:
    both = {"role.sales": "on", "role.warehouse": "on"}
    answer = send(admin, "/users", name="bob", **both, **TWICE)
    assert answer.status_code == 303
    assert row_of(admin, "bob").startswith("bob sales, warehouse a password")

    bob = new_browser(app)
    assert log_in(bob, "bob").status_code == 303
    assert bob.get("/customers").status_code == 200
    assert bob.get("/users").status_code == 403


def test_a_user_without_a_password_is_for_programs(
    app: Flask, admin: BrowserClient
) -> None:
    assert send(admin, "/users", name="till", **{"role.sales": "on"}).status_code == 303

    assert row_of(admin, "till").startswith("till sales no password")
    assert log_in(new_browser(app), "till", "").status_code == 401


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "alice"}, "a name is given once"),
        ({"name": "A B"}, "1 to 60 of"),
        ({"name": "bob", "password": "short", "again": "short"}, "at least 10"),
        ({"name": "bob", "password": PASSWORD, "again": ""}, "typed first"),
    ],
)
def test_a_user_who_cannot_be_added_is_told(
    admin: BrowserClient, typed: dict[str, str], words: str
) -> None:
    answer = send(admin, "/users", **typed, **{"role.sales": "on"})

    assert answer.status_code == 422
    assert words in answer.text
    # What was ticked stays.
    assert 'name="role.sales" value="on" checked' in answer.text


def test_an_admin_changes_a_user(app: Flask, shop: Shop, admin: BrowserClient) -> None:
    bob = browser_of(app, shop, "bob", "sales")

    send(admin, "/users/bob/roles", "/users", **{"role.warehouse": "on"})
    assert row_of(admin, "bob").startswith("bob warehouse")
    send(admin, "/users/bob/sign-out", "/users")
    wait_until(lambda: bob.get("/orders").status_code == 401, "bob is out", seconds=5)
    other = {"password": "another password", "again": "another password"}
    answer = send(admin, "/users/bob/password", "/users", **other)
    assert "another password" not in admin.get(answer.headers["Location"]).text
    assert log_in(bob, "bob").status_code == 401
    assert log_in(bob, "bob", "another password").status_code == 303
    send(admin, "/users/bob/disable", "/users")
    assert "disabled since" in row_of(admin, "bob")
    wait_until(lambda: bob.get("/orders").status_code == 401, "bob is out", seconds=5)
    assert log_in(bob, "bob", "another password").status_code == 401
    send(admin, "/users/bob/enable", "/users")
    assert log_in(bob, "bob", "another password").status_code == 303


def test_each_change_of_a_user_is_told_and_logged_with_who_made_it(
    app: Flask, shop: Shop, admin: BrowserClient, caplog: pytest.LogCaptureFixture
) -> None:
    browser_of(app, shop, "bob", "sales")
    send(admin, "/users/bob/disable", "/users")

    assert "bob is shut out." in admin.get("/users").text
    assert "bob is shut out, by alice" in caplog.text


def test_an_admin_shuts_nobody_out_by_mistake(admin: BrowserClient) -> None:
    assert send(admin, "/users/alice/disable", "/users").status_code == 403
    assert send(admin, "/users/alice/roles", "/users").status_code == 403

    both = {"role.admin": "on", "role.sales": "on"}
    assert send(admin, "/users/alice/roles", "/users", **both).status_code == 303
    assert row_of(admin, "alice").startswith("alice admin, sales")


def test_a_user_who_is_not_there_is_not_changed(admin: BrowserClient) -> None:
    for what in ("roles", "disable", "enable", "nothing"):
        assert send(admin, f"/users/zoe/{what}", "/users").status_code == 404


def test_who_is_no_admin_any_more_changes_nobody(
    app: Flask, shop: Shop, admin: BrowserClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database says so, even where the web still takes them for one."""
    browser_of(app, shop, "bob", "sales")
    token = hidden_in(admin.get("/users").text)["csrf_token"]
    monkeypatch.setattr("webapp.login.sessions.FRESH", 3600)
    admin.get("/orders")
    with shop.lent() as connection:
        connection.execute("UPDATE access.user_roles SET role = 'sales'")

    answer = admin.post("/users/bob/disable", data={"csrf_token": token})
    assert answer.status_code == 403
    assert "no admin any more" in answer.text


def test_one_changes_the_own_password_and_is_out_everywhere_else(
    app: Flask, shop: Shop, admin: BrowserClient
) -> None:
    other = new_browser(app)
    log_in(other, "alice")
    typed = {"password": "another password", "again": "another password"}
    answer = send(admin, "/me/password", "/me", present=PASSWORD, **typed)
    assert answer.headers["Location"] == "/me"

    assert "Your password is changed" in admin.get("/me").text
    wait_until(lambda: other.get("/me").status_code == 401, "it is out", seconds=5)
    assert log_in(other, "alice").status_code == 401
    assert log_in(other, "alice", "another password").status_code == 303


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"present": "wrong password", **TWICE}, "not your present password"),
        ({"present": PASSWORD, "password": "short", "again": "short"}, "at least 10"),
        ({"present": PASSWORD, "password": PASSWORD, "again": "x"}, "typed first"),
    ],
)
def test_the_own_password_stays_if_anything_is_wrong(
    app: Flask, admin: BrowserClient, typed: dict[str, str], words: str
) -> None:
    answer = send(admin, "/me/password", "/me", **typed)

    assert answer.status_code == 422
    assert words in answer.text
    assert log_in(new_browser(app), "alice").status_code == 303


def test_the_present_password_cannot_be_guessed_there(admin: BrowserClient) -> None:
    typed = {"present": "wrong password", **TWICE}
    answers = [
        send(admin, "/me/password", "/me", **typed).status_code for _ in range(11)
    ]

    assert answers == [422] * 10 + [429]


def test_a_token_is_shown_once_and_works_until_it_is_revoked(
    app: Flask, shop: Shop
) -> None:
    bob = browser_of(app, shop, "bob", "sales")
    page = send(bob, "/tokens", scope="read", days="7").text
    found = re.search(r"recount_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", page)
    assert found is not None
    headers = bearing(found[0])
    program = new_browser(app)
    assert program.get("/api/orders", headers=headers).status_code == 200

    listed = bob.get("/tokens").text
    prefix = found[0].split("_")[1]
    assert prefix in listed
    assert found[0] not in listed
    send(bob, f"/tokens/{prefix}/revoke", "/tokens")
    wait_until(
        lambda: program.get("/api/orders", headers=headers).status_code == 401,
        "it is revoked",
        seconds=5,
    )


def test_a_user_has_the_own_tokens_and_an_admin_those_of_all(
    app: Flask, shop: Shop, admin: BrowserClient
) -> None:
    bob = browser_of(app, shop, "bob", "sales")
    send(bob, "/tokens", scope="all", days="90")
    send(admin, "/tokens", scope="all", days="90")

    def prefixes(browser: FlaskClient) -> list[str]:
        return re.findall(r"/tokens/([0-9a-f]{12})/revoke", browser.get("/tokens").text)

    (own,) = prefixes(bob)
    (alices,) = set(prefixes(admin)) - {own}
    assert send(bob, f"/tokens/{alices}/revoke", "/tokens").status_code == 404
    assert send(admin, f"/tokens/{own}/revoke", "/tokens").status_code == 303
    assert prefixes(bob) == []


@pytest.mark.parametrize("days", ["", "0", "3651", "x", "-1", "1.5", "9" * 30])
def test_a_token_has_an_end(app: Flask, shop: Shop, days: str) -> None:
    answer = send(
        browser_of(app, shop, "bob", "sales"), "/tokens", scope="all", days=days
    )

    assert answer.status_code == 422
    assert "recount_" not in answer.text


def test_a_token_has_a_scope_that_there_is(app: Flask, shop: Shop) -> None:
    bob = browser_of(app, shop, "bob", "sales")

    assert send(bob, "/tokens", scope="everything", days="1").status_code == 400
    # Nothing is offered that its user may not do.
    assert "<option>orders.refund</option>" not in bob.get("/tokens").text


def test_the_roles_are_told_to_everybody(app: Flask, shop: Shop) -> None:
    page = browser_of(app, shop, "zoe").get("/roles").text

    assert "bookkeeper" in page
    assert "refund payments" in page


def test_many_users_log_in_at_once(app: Flask, shop: Shop) -> None:
    for number in range(6):
        browser_of(app, shop, f"user{number}", "sales")

    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(
            lambda n: log_in(new_browser(app), f"user{n}").status_code, range(6)
        )
        assert list(answers) == [303] * 6

"""Who comes in without a user's token: a browser by an address, or a program."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks.shop.local_access import (
    authorization,
    forget_logins,
    is_cookie,
    new_cookie,
    new_login,
    read_authorization,
    shop_id,
    spend,
    write_header,
)
from tasks.shop.setting_values import master_keys
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.databases import MASTER_KEY
from tests.support.local_client import stranger
from tests.support.settings import SECRET_KEY
from tests.support.users import user
from tests.support.visiting import assert_problem, hidden_of
from tests.support.waiting import wait_until
from webapp import create_app
from webapp.local_login import local_cookie, session_cookie

HERE = "http://127.0.0.1:5000"
OPEN = {"type": "OpenAccount", "data": {"account_id": "till"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data folder"


@pytest.fixture
def closed(folder: Path) -> Flask:
    """A web whose database is away: who may come in is known without it."""
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:1/nowhere",
        broker_url="redis://127.0.0.1:1",
        secret_key=SECRET_KEY,
        master_keys=master_keys(MASTER_KEY),
        timezone=ZoneInfo("UTC"),
        state_dir=folder,
    )
    return create_app(Shop(settings))


def enter(client: FlaskClient, secret: str) -> int:
    """Press the button of the page that an address shows, and return the status."""
    page = client.get(f"/login/{secret}", base_url=HERE)
    assert page.status_code == 200, page.text
    token = hidden_of(page.text)
    return client.post(f"/login/{secret}", data=token, base_url=HERE).status_code


def addresses(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Yield the endpoint, a method and a path of all that the web has."""
    for rule in app.url_map.iter_rules():
        path = re.sub("<uuid:[^>]*>", str(uuid4()), rule.rule)
        path = re.sub("<[^>]*>", "7", path)
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            yield rule.endpoint, method, path


OPEN_TO_ALL = {"static", "health.alive", "health.ready"}


def test_without_a_secret_nothing_answers_but_health_and_static(closed: Flask) -> None:
    client = stranger(closed)
    answered = set()
    for endpoint, method, path in addresses(closed):
        with client.open(path, method=method, base_url=HERE) as response:
            if response.status_code not in (401, 403):
                answered.add(endpoint)

    assert answered == OPEN_TO_ALL
    assert client.get("/nothing", base_url=HERE).status_code == 401
    assert client.get("/api/nothing", base_url=HERE).status_code == 401
    assert client.get("/api", base_url=HERE).status_code == 401


def test_health_is_told_in_a_word_to_who_has_no_secret(closed: Flask) -> None:
    client = stranger(closed)

    assert client.get("/healthz", base_url=HERE).text == "ok\n"
    assert client.get("/readyz", base_url=HERE).text == "unready\n"
    assert client.get("/readyz", base_url=HERE).status_code == 503


def test_readiness_is_told_in_a_word_as_well(app: Flask) -> None:
    answer = stranger(app).get("/readyz", base_url=HERE)

    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_a_page_says_what_to_do_and_nothing_of_the_shop(closed: Flask) -> None:
    answer = stranger(closed).get("/orders", base_url=HERE)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "./recount login" in answer.text
    assert "EUR" not in answer.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/api/orders", "/metrics", "/api/nothing"])
def test_a_program_is_told_by_a_problem(closed: Flask, path: str) -> None:
    kind = "login-required" if path == "/metrics" else "token-required"

    problem = assert_problem(stranger(closed).get(path, base_url=HERE), 401, kind)

    assert "curl -H @.local/header" in problem["detail"]


def test_an_address_lets_one_browser_in_once(
    shop: Shop, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shop.settings = replace(shop.settings, state_dir=folder)
    app = create_app(shop)
    secret = new_login(folder)
    browser, other = stranger(app), stranger(app)
    assert browser.get("/orders", base_url=HERE).status_code == 401

    assert enter(browser, secret) == 303
    assert browser.get("/orders", base_url=HERE).status_code == 200

    assert other.get(f"/login/{secret}", base_url=HERE).status_code == 401
    assert other.get("/orders", base_url=HERE).status_code == 401
    assert secret not in caplog.text


def test_who_only_looks_at_an_address_spends_nothing(
    closed: Flask, folder: Path
) -> None:
    secret = new_login(folder)
    for method in ("GET", "HEAD", "OPTIONS"):
        stranger(closed).open(f"/login/{secret}", method=method, base_url=HERE)

    assert enter(stranger(closed), secret) == 303


def test_the_button_is_that_of_our_own_page(closed: Flask, folder: Path) -> None:
    secret = new_login(folder)
    client = stranger(closed)

    assert client.post(f"/login/{secret}", base_url=HERE).status_code == 403
    assert enter(client, secret) == 303


def test_an_address_that_never_was_lets_nobody_in(closed: Flask, folder: Path) -> None:
    client = stranger(closed)
    for wrong in ("x", "..%2Fheader", "%00", "%ff", "é", "x" * 500):
        answer = client.get(f"/login/{wrong}", base_url=HERE)
        assert answer.status_code == 401, wrong


def test_of_many_that_spend_an_address_at_once_one_is_let_in(folder: Path) -> None:
    for _ in range(20):
        secret = new_login(folder)
        with ThreadPoolExecutor(8) as pool:
            spent = list(pool.map(lambda _, s=secret: spend(folder, s), range(8)))
        assert spent.count(True) == 1


def test_what_lies_in_the_data_folder_is_for_its_owner_alone(folder: Path) -> None:
    header = write_header(folder, SECRET_KEY)
    secret = new_login(folder)
    (login,) = (folder / "logins").iterdir()

    assert {path.stat().st_mode & 0o777 for path in (header, login)} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, login.parent)} == {0o700}
    assert secret not in login.name
    header.chmod(0o644)
    assert write_header(folder, SECRET_KEY).stat().st_mode & 0o777 == 0o600


def test_up_takes_back_the_addresses_that_were_not_used(folder: Path) -> None:
    secret = new_login(folder)
    forget_logins(folder)

    assert not spend(folder, secret)


def test_a_folder_that_cannot_be_written_is_named(
    closed: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError(13, "Permission denied")

    secret = new_login(folder)
    monkeypatch.setattr("webapp.local_login.spend", refuse)
    client = stranger(closed)
    hidden = hidden_of(client.get(f"/login/{secret}", base_url=HERE).text)
    answer = client.post(f"/login/{secret}", data=hidden, base_url=HERE)

    assert answer.status_code == 403
    assert str(folder) in answer.text


def cookie_of(client: FlaskClient, app: Flask) -> str:
    cookie = client.get_cookie(
        local_cookie(app.config["SECRET_KEY"]), domain="127.0.0.1"
    )
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Lax"
    assert cookie.path == "/"
    return cookie.value


def test_the_cookie_lives_through_restarts_and_with_its_key_alone(
    closed: Flask, folder: Path
) -> None:
    client = stranger(closed)
    enter(client, new_login(folder))
    value = cookie_of(client, closed)

    assert is_cookie(SECRET_KEY, value)
    assert not is_cookie(SECRET_KEY + "x", value)
    assert not is_cookie(SECRET_KEY, value[:-1] + ("0" if value[-1] != "0" else "1"))
    assert not is_cookie(SECRET_KEY, "")
    assert not is_cookie(SECRET_KEY, "a.é")
    assert new_cookie(SECRET_KEY) != new_cookie(SECRET_KEY)


def test_the_cookies_of_two_shops_of_one_computer_have_two_names() -> None:
    other = "the key of another shop, of 32 and more"
    names = {
        name(key)
        for name in (local_cookie, session_cookie)
        for key in (SECRET_KEY, other)
    }

    assert len(names) == 4
    assert shop_id(SECRET_KEY) in local_cookie(SECRET_KEY)


def test_localhost_leads_to_the_host_of_the_cookie(closed: Flask) -> None:
    client = stranger(closed)
    for host in ("localhost:5003", "[::1]:5003", "LOCALHOST:5003"):
        answer = client.get("/orders?q=a%20b", headers={"Host": host})
        assert answer.status_code == 302
        assert answer.headers["Location"] == "http://127.0.0.1:5003/orders?q=a%20b"
    # Programs follow no redirect, and need none.
    headers = {"Host": "localhost:5003", "Authorization": authorization(SECRET_KEY)}
    assert client.get("/problems/forbidden", headers=headers).status_code == 200


def test_the_header_file_is_what_a_program_sends(app: Flask, folder: Path) -> None:
    line = read_authorization(write_header(folder, SECRET_KEY))
    client = stranger(app)
    headers = {"Authorization": line}

    for path in ("/orders", "/api/orders", "/metrics", "/readyz"):
        assert client.get(path, headers=headers, base_url=HERE).status_code == 200
    sent = client.post(
        "/api/commands",
        json=OPEN,
        headers={**headers, "Idempotency-Key": "k"},
        base_url=HERE,
    )
    assert sent.status_code == 202


def test_the_cookie_reads_the_api_and_changes_nothing_there(
    shop: Shop, folder: Path
) -> None:
    shop.settings = replace(shop.settings, state_dir=folder)
    client = stranger(create_app(shop))
    enter(client, new_login(folder))

    assert client.get("/api/orders", base_url=HERE).status_code == 200
    headers = {"Idempotency-Key": "k"}
    sent = client.post("/api/commands", json=OPEN, headers=headers, base_url=HERE)
    assert_problem(sent, 401, "token-required")


def test_with_users_what_was_printed_opens_nothing_any_more(
    shop: Shop, folder: Path
) -> None:
    shop.settings = replace(shop.settings, state_dir=folder)
    app = create_app(shop)
    browser = stranger(app)
    enter(browser, new_login(folder))
    assert browser.get("/orders", base_url=HERE).status_code == 200
    alice = user(shop, "alice", "sales")
    wait_until_users_are_known(browser)
    local = {"Authorization": authorization(SECRET_KEY)}

    assert stranger(app).get("/orders", headers=local).status_code == 401
    secret = new_login(folder)
    for method in ("GET", "POST"):
        printed = stranger(app).open(f"/login/{secret}", method=method, base_url=HERE)
        assert printed.status_code in (302, 403)
    assert not spend(folder, "another")
    assert spend(folder, secret)
    assert browser.get("/api/orders", base_url=HERE).status_code == 401
    assert stranger(app).get("/api/orders", headers=local).status_code == 401
    assert stranger(app).get("/api/orders", headers=alice).status_code == 200
    # A user's token is for the API.
    assert stranger(app).get("/orders", headers=alice, base_url=HERE).status_code == 401


def wait_until_users_are_known(browser: FlaskClient) -> None:
    wait_until(
        lambda: browser.get("/orders", base_url=HERE).status_code == 401,
        "the web has seen that there is a user",
        seconds=5,
    )


def test_programs_of_this_computer_ask_for_metrics_when_there_are_users(
    app: Flask, shop: Shop
) -> None:
    user(shop, "alice", "admin")
    local = {"Authorization": authorization(SECRET_KEY)}

    metrics = stranger(app).get("/metrics", headers=local, base_url=HERE)
    assert metrics.status_code == 200
    assert_problem(stranger(app).get("/metrics", base_url=HERE), 401, "login-required")


def test_what_a_proxy_passes_on_opens_nothing_even_with_the_secret(
    closed: Flask,
) -> None:
    local = {"Authorization": authorization(SECRET_KEY), "X-Forwarded-For": "10.0.0.1"}

    for path in ("/orders", "/metrics", "/api/orders"):
        answer = stranger(closed).get(path, headers=local, base_url=HERE)
        assert answer.status_code in (401, 403), path


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:8000"},
        {"Origin": "https://127.0.0.1:5000"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    ],
)
def test_a_page_of_another_site_changes_nothing(
    away: FlaskClient, headers: dict[str, str]
) -> None:
    for path in ("/customers/new", "/api/commands", "/login/x", "/nothing"):
        answer = away.post(path, headers=headers, base_url=HERE)
        assert answer.status_code == 403, path
        assert "another site" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "same-origin", "Origin": HERE},
    ],
)
def test_our_own_pages_and_programs_may(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    answer = client.post(
        "/api/commands",
        json=OPEN,
        headers={"Idempotency-Key": "k", **headers},
        base_url=HERE,
    )

    assert answer.status_code == 202

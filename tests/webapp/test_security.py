"""What every answer carries, and whom the web does not answer."""

import re
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from tests.support.settings import SECRET_KEY
from tests.support.visiting import Browser
from webapp.forms.definitions import FORMS
from webapp.local_login import session_cookie


@pytest.fixture
def client(away: FlaskClient) -> FlaskClient:
    """What is said here holds without a database, too."""
    return away


PAGES = [
    "/orders",
    "/orders/7",
    "/orders/new",
    "/orders/7/cancel",
    "/customers",
    "/customers/ALICE",
    "/customers/ALICE/edit",
    "/customers/new",
    "/nothing",
]
EVERYWHERE = [*PAGES, "/healthz", "/api/orders", "/static/recount.css"]


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_has_the_headers(client: FlaskClient, path: str) -> None:
    with client.get(path) as response:
        headers = response.headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PAGES)
def test_no_page_has_script_or_style_of_its_own(client: FlaskClient, path: str) -> None:
    page = client.get(path).text

    assert not re.search(r"<style|style=|<script>|\son[a-z]+=|javascript:", page)
    assert not re.search(r'(src|href)="(https?:)?//', page)


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_kept_by_no_cache(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:5000", "[::1]:5000", "[::1]"]
)
def test_this_computer_is_answered_on_any_port(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.2", "", "[::2]"]
)
@pytest.mark.parametrize("path", ["/orders", "/api/orders", "/static/recount.css"])
def test_another_host_name_is_refused(
    client: FlaskClient, host: str, path: str
) -> None:
    response = client.get(path, headers={"Host": host})

    assert response.status_code == 400
    assert "not allowed" in response.text


@pytest.mark.parametrize(
    ("address", "headers"),
    [("192.0.2.7", {}), ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"})],
)
def test_no_page_is_for_another_computer(
    client: FlaskClient, address: str, headers: dict[str, str]
) -> None:
    """Whatever a server is told to listen on, and whatever host is claimed."""
    answered = set()
    for rule in client.application.url_map.iter_rules():
        if rule.rule.startswith("/api/"):
            continue
        path = re.sub("<uuid:[^>]*>", str(uuid4()), rule.rule)
        path = re.sub("<[^>]*>", "7", path)
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        from_there = {"REMOTE_ADDR": address}
        with client.open(
            path, method=method, headers=headers, environ_overrides=from_there
        ) as response:
            if response.status_code != 403:
                answered.add(rule.endpoint)

    assert answered == {
        "static",
        "health.alive",
        "health.ready",
    }


def test_the_cookie_is_kept_from_scripts_and_other_sites(client: FlaskClient) -> None:
    cookie = client.get("/orders/new").headers["Set-Cookie"]

    assert cookie.startswith(f"{session_cookie(SECRET_KEY)}=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_every_form_wants_its_token(client: FlaskClient) -> None:
    posts = [
        rule
        for rule in client.application.url_map.iter_rules()
        if rule.methods and "POST" in rule.methods and not rule.rule.startswith("/api")
    ]

    forms = {form.endpoint for form in FORMS.values()}
    assert forms < {rule.endpoint for rule in posts}
    for rule in posts:
        path = re.sub("<uuid:[^>]*>", str(uuid4()), rule.rule)
        path = re.sub("<[^>]*>", "7", path)
        assert client.post(path).status_code == 403, path


def test_a_form_over_the_limit_is_a_page_that_says_so(browser: Browser) -> None:
    page = browser.send("/customers/new", name="x" * 64 * 1024)

    assert page.status_code == 413
    assert "too large" in page.text


@pytest.mark.parametrize("path", PAGES)
def test_every_page_says_that_there_is_no_login_yet(
    client: FlaskClient, path: str
) -> None:
    assert "There is no login yet" in client.get(path).text

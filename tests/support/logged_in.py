"""People who are logged in to the pages, and what their browsers show."""

import re
from html import unescape
from typing import Any

from argon2.low_level import Type, hash_secret
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from eventstore.access.sessions import open_session
from eventstore.access.users import add_user, set_password
from tasks.shop.wiring import Shop
from webapp.login.sessions import login_cookie

HERE = "http://127.0.0.1:5000"
PASSWORD = "correct horse battery"


class BrowserClient(FlaskClient):
    """A browser: it opens the printed host, has no header, and keeps its cookies."""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        return super().open(*arguments, **{"base_url": HERE, **options})


def new_browser(app: Flask) -> BrowserClient:
    return BrowserClient(app, app.response_class, use_cookies=True)


def quick_hash(password: str = PASSWORD, salt: bytes = b"salt of a test") -> str:
    """Return the hash of a password by a method that takes no time."""
    return hash_secret(password.encode(), salt, 1, 8, 1, 32, Type.ID).decode()


def person(shop: Shop, name: str, *roles: str, password: str = PASSWORD) -> None:
    """Add a user with a password."""
    with shop.lent() as connection:
        assert add_user(connection, name, roles)
        assert set_password(connection, name, quick_hash(password))


def browser_of(app: Flask, shop: Shop, name: str, *roles: str) -> BrowserClient:
    """Return the browser in which a new user is logged in."""
    person(shop, name, *roles)
    return another_browser(app, shop, name)


def another_browser(app: Flask, shop: Shop, name: str) -> BrowserClient:
    """Return another browser in which *name* is logged in."""
    with shop.lent() as connection:
        secret = open_session(connection, name, quick_hash(), [])
    assert secret is not None
    client = new_browser(app)
    client.set_cookie(
        login_cookie(app.config["SECRET_KEY"]), secret, domain="127.0.0.1"
    )
    return client


def log_in(
    client: FlaskClient, name: str, password: str = PASSWORD, **other: str
) -> TestResponse:
    """Type name and password into the page of the login, without a session."""
    cookie = login_cookie(client.application.config["SECRET_KEY"])
    client.delete_cookie(cookie, domain="127.0.0.1")
    page = client.get("/login", base_url=HERE)
    assert page.status_code == 200, page.text
    return client.post(
        "/login",
        data={**hidden_in(page.text), "name": name, "password": password, **other},
        base_url=HERE,
    )


def hidden_in(page: str) -> dict[str, str]:
    """Return all hidden fields of the forms of a page; of one name the last."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def links_in(page: str) -> set[str]:
    """Return the addresses of our own to which a page leads."""
    found = re.findall(r'<a [^>]*?href="(/[^"#]*)', page)
    return {unescape(address) for address in found}


def forms_in(page: str) -> set[str]:
    """Return the addresses to which the forms of a page are posted."""
    found = re.findall(r'<form [^>]*?method="post"[^>]*?action="([^"]*)"', page)
    return {unescape(address) for address in found}

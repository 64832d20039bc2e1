"""Flask's test client as a program of this computer: it sends the shop's header."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tasks.shop.local_access import authorization


class LocalClient(FlaskClient):
    """A client with the header Authorization, where a request has none of its own."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.environ_base["HTTP_AUTHORIZATION"] = authorization(
            self.application.config["SECRET_KEY"]
        )


def stranger(app: Flask) -> FlaskClient:
    """Return a client that has no header, and no cookie yet."""
    return FlaskClient(app, app.response_class, use_cookies=True)

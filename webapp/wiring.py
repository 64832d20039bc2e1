"""Where a view finds the shop it works for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import sqlalchemy as sa
from flask import Flask, current_app

from tasks import bootstrap
from tasks.bootstrap import Shop

LOCAL = "local"
"""The principal of every request, as long as there is no login."""


def give(app: Flask, shop: Shop | None) -> None:
    app.extensions["shop"] = shop


def the_shop() -> Shop:
    """Return the application's shop; without one of its own, the process's."""
    return cast(Shop | None, current_app.extensions["shop"]) or bootstrap.shop()


@contextmanager
def reading() -> Iterator[sa.Connection]:
    """Lend a query a connection to the read models."""
    with the_shop().engine.connect() as connection:
        yield connection

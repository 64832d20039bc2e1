"""Asking a shop's database as a login with the rights of one role."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

from tasks.shop.wiring import Shop
from tests.support.databases import as_role


@contextmanager
def connected(shop: Shop, role: str) -> Iterator[psycopg.Connection[Any]]:
    url = sa.make_url(as_role(shop.settings.database_url, role))
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as login:
        yield login


def ask_as(shop: Shop, query: str, role: str = "reader") -> list[Any]:
    with connected(shop, role) as login:
        return login.execute(query).fetchall()

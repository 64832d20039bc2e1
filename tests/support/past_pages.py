"""Asking the web for the past, whose copies are made by the test."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from domain.accounts.commands import Deposit, OpenAccount
from domain.transfers.commands import TransferMoney
from tasks.shop.wiring import Shop
from tests.support.desk import (
    add_clock,
    alice,
    bob,
    pay,
    place,
    raise_price,
    rename,
    ship,
)
from tests.support.past import fill_all

BEFORE = (
    alice,
    bob,
    place,
    OpenAccount(account_id="A", currency="EUR"),
    OpenAccount(account_id="B", currency="EUR"),
    Deposit(account_id="A", amount=500),
    TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR"),
    add_clock,
)
AFTER = (
    rename,
    pay,
    ship,
    replace(place, customer_id="BOB"),
    Deposit(account_id="A", amount=7),
    raise_price,
)

Look = Callable[..., TestResponse]


def looker(client: FlaskClient, shop: Shop) -> Look:
    """Return what asks for an address, and again when its copies are made."""

    def look(address: str, *, accept: str = "*/*", **asked: Any) -> TestResponse:
        query = {
            # `from` is a word of Python.
            name.removesuffix("_"): value.isoformat()
            if isinstance(value, datetime)
            else value
            for name, value in asked.items()
        }
        headers = {"Accept": accept}
        answer = client.get(address, query_string=query, headers=headers)
        if answer.status_code in (202, 503):
            with shop.lent() as connection:
                fill_all(shop, connection)
            answer = client.get(address, query_string=query, headers=headers)
        return answer

    return look

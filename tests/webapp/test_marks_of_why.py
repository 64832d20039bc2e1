"""The marks beside values, which lead to why they are so, and who may follow them."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount
from domain.orders.commands import ReceivePayment
from domain.transfers.commands import TransferMoney
from tasks import catch_up, commands
from tasks.shop.wiring import Shop
from tests.support.command_histories import happen
from tests.support.desk import CLOCK, LAMP, Do, add_clock, alice, place, ship
from tests.support.users import user

MARK = re.compile(
    r'<a class="why" href="([^"]+)" title="Why is this so\?">'
    r'<span aria-hidden="true">\?</span><span class="unseen">([^<]+)</span></a>'
)
order = replace(
    place,
    items=(CLOCK, replace(LAMP, discount=Decimal("0.1"))),
    discount=Decimal("0.05"),
    freight=500,
    required_date=date(2999, 1, 1),
)
SHOWN = {
    "/orders/1": {
        *("status", "customer_name", "customer_id", "customer_email", "address"),
        *("total", "created_at", "required_date", "parcels", "lines"),
        *("discount", "freight", "history", "paid", "payments", "shipped_at"),
    },
    "/orders": {"total", "status"},
    "/customers/ALICE": {
        *("name", "email", "registered_at", "worth", "orders", "total", "status"),
    },
    "/customers": {"worth"},
    "/accounts/A": {"balance", "status", "opened_at", "change"},
    "/accounts": {"balance"},
    "/transfers/1": {
        *("amount", "from_account", "to_account", "status", "requested_at"),
        "ended_at",
    },
    "/transfers": {"status"},
}
"""The columns that each page has marks for."""


@pytest.fixture(autouse=True)
def told(do: Do, shop: Shop, client: FlaskClient) -> None:
    do(alice, add_clock, order)
    total = client.get("/api/orders/1").get_json()["total"]
    do(
        ReceivePayment(order_id=1, amount=total),
        ship,
        OpenAccount(account_id="A", currency="EUR"),
        OpenAccount(account_id="B", currency="EUR"),
        Deposit(account_id="A", amount=500),
    )
    transfer = TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR")
    happen(shop, transfer, key="transfer")
    sent: list[UUID] = []
    for _ in range(5):
        catch_up.run(shop, tell=lambda _, command: sent.append(command))
        while sent:
            commands.run(shop, [sent.pop()])


def marks_on(client: FlaskClient, path: str) -> Mapping[str, str]:
    """Return what each mark of a page asks, by its address."""
    page = client.get(path)
    assert page.status_code == 200
    found = {unescape(link): unescape(words) for link, words in MARK.findall(page.text)}
    # None is written otherwise.
    assert page.text.count('class="why"') == len(MARK.findall(page.text))
    return found


def column_in(link: str) -> str:
    return parse_qs(urlsplit(link).query)["column"][0]


@pytest.mark.parametrize("path", SHOWN)
def test_each_value_of_a_page_has_its_mark(client: FlaskClient, path: str) -> None:
    assert {column_in(link) for link in marks_on(client, path)} == SHOWN[path]


@pytest.mark.parametrize("path", SHOWN)
def test_each_mark_leads_to_the_events_of_its_value(
    client: FlaskClient, path: str
) -> None:
    for link, words in marks_on(client, path).items():
        page = client.get(link)

        assert page.status_code == 200, link
        assert re.search(r"event [0-9]+ of \w+-\w+, at position", page.text), link
        found = client.get(f"/api{link}").get_json()
        assert found["is_there"]
        assert not found["is_wrong"]
        assert words.startswith("Why is the ")
        assert words.endswith(" so?")


def test_a_mark_says_to_a_screen_reader_what_it_asks(client: FlaskClient) -> None:
    assert "Why is the status of order 1 so?" in marks_on(client, "/orders").values()
    page = client.get("/orders/1").text
    assert "Why is the line with LAMP so?" in page
    assert "Why is the sum that was paid so?" in page


MAY_ASK = {
    "admin": {"orders", "customers", "accounts", "transfers", "products", "figures"},
    "sales": {"orders", "customers", "products", "figures"},
    "bookkeeper": {
        *("orders", "customers", "accounts", "transfers", "products", "figures"),
    },
    "warehouse": {"orders", "products", "figures"},
    "operator": {"orders", "accounts", "transfers", "products", "figures"},
    "auditor": {"orders", "customers", "accounts", "transfers", "products", "figures"},
}
"""Of what each role may ask, which is what it may read."""


@pytest.mark.parametrize("role", MAY_ASK)
def test_nobody_asks_about_what_they_may_not_read(
    app: Flask, shop: Shop, role: str
) -> None:
    headers = user(shop, "ann", role)
    client = app.test_client()
    with shop.lent() as connection:
        line = connection.execute(
            "SELECT min(position) FROM readmodels.account_statement"
            " WHERE account_id = 'A'"
        ).fetchone()
    assert line is not None
    paths = {
        "/api/orders/1/why?column=status": "orders",
        "/api/customers/ALICE/why?column=name": "customers",
        "/api/accounts/A/why?column=balance": "accounts",
        f"/api/accounts/A/statement/{line[0]}/why?column=balance": "accounts",
        "/api/transfers/1/why?column=status": "transfers",
        "/api/ordered-products/why?product=LAMP&column=unit_price": "products",
        "/api/products/RC-1/why?column=unit_price": "products",
        "/api/figures/why?column=orders": "figures",
    }

    for path, about in paths.items():
        status = 200 if about in MAY_ASK[role] else 403
        assert client.get(path, headers=headers).status_code == status, path

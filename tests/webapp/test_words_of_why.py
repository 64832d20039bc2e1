"""Why a value is so, in words: amounts in their currency, and what was forgotten."""

import re
from dataclasses import replace

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli import cli
from domain.accounts.commands import Deposit, OpenAccount
from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from tests.support.desk import (
    LAMP,
    LONDON,
    Do,
    alice,
    forget,
    note,
    pay_part,
    place,
    ship,
    void,
)

full = RegisterCustomer(
    customer_id="ALICE",
    name="Alice",
    email="alice@example.com",
    contact_name="Al",
    phone="+44 20 7946 0000",
    address=LONDON,
)


def said(client: FlaskClient, path: str) -> str:
    """Return the words of a page."""
    page = client.get(path)
    assert page.status_code == 200, page.text
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page.text))


def command_line(*typed: str) -> str:
    done = CliRunner().invoke(cli, ["why", *typed])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_line_of_a_statement_is_in_the_currency_of_its_account(
    do: Do, client: FlaskClient
) -> None:
    do(
        OpenAccount(account_id="TOKYO", currency="JPY"),
        Deposit(account_id="TOKYO", amount=500),
    )
    [line] = client.get("/api/accounts/TOKYO/statement").get_json()["lines"]
    position = line["position"]

    path = f"/accounts/TOKYO/statement/{position}/why?column=balance"
    page = said(client, path)
    typed = command_line("account_statement", str(position), "balance")

    for text in (page, typed):
        assert "500 JPY" in text
        assert "5.00" not in text


def test_the_price_of_a_product_is_in_the_currency_of_each_order(do: Do) -> None:
    yen = replace(place, items=(replace(LAMP, unit_price=700),), currency="JPY")
    do(alice, replace(place, items=(LAMP,)), yen)

    typed = command_line("ordered_products", "LAMP", "unit_price")

    assert "700 JPY, before: 9.99 EUR" in typed
    assert "unit_price is 700 JPY" in typed


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("payments", "2 payments"),
        ("parcels", "1 parcel"),
        ("notes", "1 note"),
        ("due", "58.99 EUR"),
        ("credit", "0.00 EUR"),
    ],
)
def test_the_parts_of_an_order_are_counted_and_its_money_is_money(
    do: Do, client: FlaskClient, column: str, words: str
) -> None:
    do(alice, replace(place, terms=14), pay_part, void, pay_part, ship, note)

    assert words in said(client, f"/orders/1/why?column={column}")


@pytest.mark.parametrize("column", ["email", "contact_name", "phone", "address"])
def test_what_may_be_missing_is_forgotten_and_not_nothing(
    do: Do, client: FlaskClient, column: str
) -> None:
    do(full, ChangeCustomerDetails(customer_id="ALICE", name="Alicia"), forget)

    page = said(client, f"/customers/ALICE/why?column={column}")
    typed = command_line("customers", "ALICE", column)

    assert ": (forgotten)" in page
    assert "the person was forgotten" in page
    assert "what it was before can no longer be read" in page
    assert "no longer readable, from" in page
    assert f"{column} is (forgotten)" in typed
    assert "no longer readable" in typed
    for text in (page, typed):
        assert "nothing" not in text
        assert "Alic" not in text


def test_what_nobody_has_given_is_nothing_while_nobody_is_forgotten(
    do: Do, client: FlaskClient
) -> None:
    do(alice)

    assert ": nothing" in said(client, "/customers/ALICE/why?column=phone")


def test_what_is_not_personal_stays_readable_of_the_forgotten(
    do: Do, client: FlaskClient
) -> None:
    do(full, place, forget)

    page = said(client, "/customers/ALICE/why?column=version")

    assert "no longer" not in page
    assert "; before: 1." in page

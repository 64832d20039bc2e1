"""Why a value is so: the addresses of the API, and the pages."""

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount
from domain.customers.commands import ForgetCustomer
from domain.transfers.commands import TransferMoney
from readmodels.accounts import AccountView
from readmodels.customers import CustomerView
from readmodels.order_details import OrderDetailsView
from readmodels.transfers import TransferView
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.desk import (
    Do,
    add_clock,
    alice,
    pay,
    place,
    raise_price,
    rename,
)
from tests.support.parking import park_stream
from webapp import create_app


@pytest.fixture
def told(do: Do) -> None:
    do(
        alice,
        place,
        pay,
        OpenAccount(account_id="A", currency="EUR"),
        OpenAccount(account_id="B", currency="EUR"),
        Deposit(account_id="A", amount=500),
        TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR"),
    )


pytestmark = pytest.mark.usefixtures("told")


def ask(client: FlaskClient, path: str, **asked: Any) -> Mapping[str, Any]:
    answer = client.get(path, query_string=asked)
    assert answer.status_code == 200, answer.text
    found: Mapping[str, Any] = answer.get_json()
    return found


def test_an_order_says_which_event_paid_it(client: FlaskClient) -> None:
    found = ask(client, "/api/orders/1/why", column="status")

    newest, oldest = found["changes"]
    assert (found["value"], found["read_model"]) == ("paid", "order_details")
    assert (newest["type"], newest["before"], newest["after"]) == (
        "PaymentReceived",
        "pending",
        "paid",
    )
    assert newest["because"]["command_type"] == "ReceivePayment"
    assert oldest["makes_row"]
    command = client.get(newest["links"]["command"]).get_json()
    assert command["type"] == "ReceivePayment"
    [event] = client.get(newest["links"]["event"]).get_json()["events"]
    assert (event["stream"], event["version"]) == ("order-1", 2)


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("/orders/1", OrderDetailsView),
        ("/customers/ALICE", CustomerView),
        ("/accounts/A", AccountView),
        ("/transfers/1", TransferView),
    ],
)
def test_each_value_of_a_row_has_an_answer_and_a_page(
    client: FlaskClient, path: str, row: type
) -> None:
    shown = client.get(f"/api{path}").get_json()
    for field in fields(row):
        found = ask(client, f"/api{path}/why", column=field.name)
        assert found["value"] == shown[field.name]
        assert found["changes"] or found["value"] is None
        page = client.get(f"{path}/why?column={field.name}")
        assert page.status_code == 200
        assert "event 1 of" in page.text or not found["changes"]


def test_what_only_the_list_shows_is_explained_by_the_list(
    client: FlaskClient,
) -> None:
    found = ask(client, "/api/orders/1/why", column="item_count")

    assert (found["read_model"], found["value"]) == ("order_list", 2)


def test_lines_of_statements_products_and_figures_are_explained(
    client: FlaskClient,
) -> None:
    [deposit] = client.get("/api/accounts/A/statement").get_json()["lines"]
    path = f"/api/accounts/A/statement/{deposit['position']}/why"
    assert ask(client, path, column="balance")["value"] == 500
    elsewhere = path.replace("accounts/A", "accounts/B")
    assert client.get(f"{elsewhere}?column=balance").status_code == 404
    page = client.get(f"{path.removeprefix('/api')}?column=balance")
    assert "Money paid in" in page.text

    path = "/api/ordered-products/why"
    assert ask(client, path, product="LAMP", column="unit_price")["value"] == 999
    assert ask(client, "/api/figures/why", column="orders")["value"] == 1


def test_a_price_of_the_list_is_explained_by_the_product(
    client: FlaskClient, do: Do
) -> None:
    do(add_clock, raise_price)

    found = ask(client, "/api/products/RC-1/why", column="unit_price")

    raised, added = found["changes"]
    assert (raised["type"], raised["before"], raised["after"]) == (
        "PriceChanged",
        4_950,
        5_250,
    )
    assert (added["type"], added["stream"]) == ("ProductAdded", "product-RC-1")
    assert found["links"]["row"] == "/api/products/RC-1"
    assert client.get("/api/products/RC-2/why?column=name").status_code == 404


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", "column is missing"),
        ("column=statsu", "did you mean status?"),
        ("column=customer_words", "column must be one of order_id, version"),
        ("column=status&as_of=soon", "as_of must be a date or a time"),
        ("column=status&as_of=2999-01-01", "must not be in the future"),
        ("column=status&as_of_position=999999", "beyond the events"),
        ("column=status&as_of=2020-01-01&as_of_position=1", "Ask for one moment"),
        ("column=status&columns=x", "The parameter 'columns'"),
    ],
)
def test_a_wrong_question_is_refused_in_words(
    client: FlaskClient, query: str, words: str
) -> None:
    for path in ("/api/orders/1/why", "/orders/1/why"):
        answer = client.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert words in answer.text.replace("&#39;", "'")


def test_the_why_of_then_is_asked_by_a_position_or_a_time(client: FlaskClient) -> None:
    paid, placed = ask(client, "/api/orders/1/why", column="status")["changes"]

    then = ask(
        client,
        "/api/orders/1/why",
        column="status",
        as_of_position=placed["position"],
    )
    at = ask(client, "/api/orders/1/why", column="status", as_of=paid["occurred_at"])

    assert (then["value"], at["value"]) == ("pending", "paid")
    assert client.get(
        "/api/orders/1/why?column=status&as_of=2020-01-01"
    ).status_code == (404)


def test_the_page_says_it_in_a_sentence(client: FlaskClient) -> None:
    page = client.get("/orders/1/why?column=status").text
    said = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", page))

    assert "paid, since " in said
    assert ", by staff, because of ReceivePayment " in said
    assert "; before: pending." in said
    assert "Payment received · event 2 of order-1" in said
    assert 'href="/orders/1#event-2"' in page
    assert 'id="event-2"' in client.get("/orders/1").text


def test_the_forgotten_are_called_forgotten(do: Do, client: FlaskClient) -> None:
    do(rename, ForgetCustomer(customer_id="ALICE"))

    page = client.get("/customers/ALICE/why?column=name").text
    found = ask(client, "/api/customers/ALICE/why", column="name")

    assert "the person was forgotten" in page
    assert "can no longer be read" in page
    assert "no longer readable" in page
    assert "Alice" not in page
    assert found["changes"][0]["forgets"]


def test_a_list_with_parts_is_answered_as_a_whole(client: FlaskClient) -> None:
    found = ask(client, "/api/orders/1/why", column="lines")
    page = client.get("/orders/1/why?column=lines").text

    assert [line["product"] for line in found["value"]] == ["RETRO-CLOCK", "LAMP"]
    assert "2 lines" in page
    assert "product LAMP, quantity 1" in page


def test_a_page_about_a_parked_row_says_that_it_is_old(
    shop: Shop, do: Do, client: FlaskClient
) -> None:
    position = ask(client, "/api/orders/1/why", column="status")["position"]
    park_stream(shop, "order_details", "order-1", position + 1)
    do(CloseAccount(account_id="B"))

    assert "What you see here is old." in client.get("/orders/1/why?column=total").text
    found = ask(client, "/api/orders/1/why", column="total")
    assert found["parked"]["stream"] == "order-1"


def test_the_rights_of_the_web_suffice(shop: Shop) -> None:
    url = as_role(shop.settings.database_url, "web")
    web = Shop(replace(shop.settings, database_url=url, role="web"))

    found = ask(
        create_app(web).test_client(), "/api/customers/ALICE/why", column="name"
    )
    web.close()

    assert found["value"] == "Alice"

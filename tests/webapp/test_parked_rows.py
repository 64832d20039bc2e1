"""Rows of a parked stream say that they are old, to everybody who sees them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount
from domain.products.commands import AddProduct
from domain.transfers.commands import TransferMoney
from eventstore.projections.parked_streams import drop_parked
from tasks import commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, deliver, pay, place
from tests.support.parking import (
    bad_place,
    bad_ship,
    broken_folds,
    park_stream,
)
from tests.support.visiting import ask, assert_problem
from tests.webapp.test_metrics import figures

OLD = "What you see here is old."
MISSING = "Something is missing in the "


def assert_mark(mark: dict[str, str], stream_id: str) -> None:
    assert set(mark) == {"since", "stream"}
    assert mark["stream"] == stream_id
    age = datetime.now(UTC) - datetime.fromisoformat(mark["since"])
    assert timedelta(0) <= age < timedelta(minutes=10)


def assert_keeps_the_fault_to_operators(text: str) -> None:
    assert "ValueError" not in text
    assert "secret" not in text
    assert "readmodels." not in text


@pytest.fixture
def shipped(do: Do) -> int:
    """Two orders; the first was shipped, which no list of orders can show."""
    with broken_folds():
        do(alice, place, place, pay, bad_ship)
    return 5


@pytest.fixture
def unseen(do: Do) -> None:
    """Two orders, the second of which cannot be shown."""
    with broken_folds():
        do(alice, place, bad_place)


def test_programs_are_told_which_rows_are_old(
    client: FlaskClient, shipped: int
) -> None:
    listed = ask(client, "/api/orders?sort=order")
    one = ask(client, "/api/orders/1")
    other = ask(client, "/api/orders/2")

    first, second = listed["orders"]
    assert_mark(first["parked"], "order-1")
    assert (first["status"], "parked" in second) == ("paid", False)
    assert listed["behind"] == 0
    assert not {"parked", "left_out"} & listed.keys()
    assert_mark(one["parked"], "order-1")
    assert "parked" not in other
    assert_keeps_the_fault_to_operators(str([listed, one]))


def test_people_are_told_which_rows_are_old(client: FlaskClient, shipped: int) -> None:
    listed = client.get("/orders").text
    one = client.get("/orders/1").text
    customer = client.get("/customers/ALICE").text

    assert listed.count("old since <time") == 1
    assert customer.count("old since <time") == 1
    assert OLD in one
    assert OLD not in client.get("/orders/2").text + listed
    assert_keeps_the_fault_to_operators(listed + one + customer)


def test_what_is_passed_over_is_never_told_as_there(
    client: FlaskClient, shop: Shop, shipped: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later event of the stream is not waited for: it will not come by itself."""
    monkeypatch.setattr("eventstore.projections.freshness.PAUSE", "never to wait for")
    delivered = replace(deliver, delivered_at=datetime.now(UTC))
    accepted = accept(shop, delivered, key="late", principal="staff")
    commands.run(shop, [accepted.command_id])
    seen = ask(client, f"/api/orders?min_position={shipped}")
    later = ask(client, f"/api/orders/1?min_position={shipped + 1}")
    before = ask(client, f"/api/orders?min_position={shipped - 1}")
    page = client.get(f"/orders/1?min_position={shipped}").text

    assert (seen["behind"], later["behind"], before["behind"]) == (1, 2, 0)
    assert_mark(seen["parked"], "order-1")
    assert_mark(later["parked"], "order-1")
    assert "parked" not in before
    assert "This page does not show the change you want to see." in page
    assert "Look again" not in page


def test_what_was_never_made_is_not_told_as_if_it_did_not_exist(
    client: FlaskClient, unseen: None
) -> None:
    problem = assert_problem(client.get("/api/orders/2"), 503, "parked")
    page = client.get("/orders/2")

    assert_mark(problem["parked"], "order-2")
    assert "Order 2 has been set aside since" in problem["detail"]
    assert page.status_code == 503
    assert "Order 2 has been set aside since" in page.text
    assert_keeps_the_fault_to_operators(page.text + str(problem))
    assert client.get("/api/orders/3").status_code == 404
    assert client.get("/orders/3").status_code == 404


def test_a_list_says_how_much_is_left_out_of_it(
    client: FlaskClient, unseen: None
) -> None:
    listed = ask(client, "/api/orders")
    page = client.get("/orders").text
    sums = ask(client, "/api/figures")

    assert (len(listed["orders"]), listed["left_out"]) == (1, 1)
    assert f"{MISSING}list of orders." in page
    assert "The changes of 1 thing have been left out since" in page
    assert "old since" not in page
    # It names no streams, so no row of it could be marked.
    assert (sums["orders"], sums["left_out"]) == (1, 1)


def test_an_order_that_a_customers_sums_lack_is_told_with_the_customer(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice, place)
    park_stream(shop, "customers", "order-1", 2)

    assert ask(client, "/api/customers/ALICE")["left_out"] == 1
    assert ask(client, "/api/customers")["left_out"] == 1
    assert MISSING in client.get("/customers/ALICE").text
    assert "left_out" not in ask(client, "/api/orders/1")


def test_a_form_for_an_order_says_which_products_it_does_not_know(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(AddProduct(product_id="RC-1", name="CLOCK", unit_price=1, currency="EUR"))
    # Its row was never made.
    park_stream(shop, "products", "product-RC-2", 1)

    assert ask(client, "/api/products")["left_out"] == 1
    assert MISSING in client.get("/orders/new").text


def test_money_says_that_it_is_old(client: FlaskClient, shop: Shop, do: Do) -> None:
    do(
        OpenAccount(account_id="A", currency="EUR"),
        OpenAccount(account_id="B", currency="EUR"),
        Deposit(account_id="A", amount=500),
        TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR"),
    )
    park_stream(shop, "account_statement", "account-A", 3)
    park_stream(shop, "accounts", "account-B", 2)
    park_stream(shop, "transfers", "transfer-1", 4)
    statement = ask(client, "/api/accounts/A/statement")
    listed = ask(client, "/api/accounts")["accounts"]
    accounts = {row["account_id"]: row for row in listed}
    transfer = ask(client, "/api/transfers/1")

    assert_mark(statement["parked"], "account-A")
    assert_mark(statement["lines"][0]["parked"], "account-A")
    assert "parked" not in accounts["A"]
    assert_mark(accounts["B"]["parked"], "account-B")
    assert_mark(transfer["parked"], "transfer-1")
    for path in ("/accounts/A", "/accounts/B", "/transfers/1"):
        assert OLD in client.get(path).text
    for path in ("/accounts", "/transfers"):
        assert client.get(path).text.count("old since <time") == 1


def test_what_was_dropped_is_old_and_no_longer_reported(
    client: FlaskClient, shop: Shop, do: Do
) -> None:
    do(alice, place)
    park_stream(shop, "order_list", "order-1", 2)
    park_stream(shop, "order_list", "order-7", 2)
    before = figures(client)["recount_parked_streams", "order_list"]
    with shop.lent() as connection:
        drop_parked(connection, "order_list", None)
    listed = ask(client, "/api/orders")

    assert_mark(listed["orders"][0]["parked"], "order-1")
    assert "left_out" not in listed
    assert "old since <time" in client.get("/orders").text
    assert MISSING not in client.get("/orders").text
    found = figures(client)
    assert (before, found["recount_parked_streams", "order_list"]) == (2, 0)
    assert found["recount_parked_streams", "figures"] == 0


def test_nothing_is_asked_for_where_nothing_is_parked(
    client: FlaskClient, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(alice, place)
    for name in ("find_parked", "find_parked_of_rows"):
        monkeypatch.setattr(f"webapp.parked_rows.{name}", None)

    for path in ("/api/orders", "/api/orders/1", "/orders", "/orders/1", "/customers"):
        answer = client.get(path)
        assert (answer.status_code, "old since" in answer.text) == (200, False)
    assert client.get("/api/orders/2").status_code == 404

"""Why a value is so: what a caller can make the web do for it, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount
from eventstore.explaining.log_folding import fold_log
from tasks.shop.wiring import Shop
from tests.support.command_histories import happen
from tests.support.desk import Do, alice, pay, place
from tests.support.users import user
from webapp.why import asking


@pytest.fixture(autouse=True)
def told(do: Do) -> None:
    do(
        alice,
        place,
        place,
        OpenAccount(account_id="A", currency="EUR"),
        OpenAccount(account_id="B", currency="EUR"),
        Deposit(account_id="A", amount=500),
    )


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The read models of which all events were folded, as it happens."""
    seen: list[str] = []

    def noted(connection: Any, folding: Any, *others: Any, **named: Any) -> Any:
        seen.append(folding.projection.name)
        return fold_log(connection, folding, *others, **named)

    monkeypatch.setattr("eventstore.explaining.why.fold_log", noted)
    return seen


def get(client: FlaskClient, path: str, status: int = 200) -> Mapping[str, Any]:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    found: Mapping[str, Any] = answer.get_json()
    return found


def line_of_a_deposit(client: FlaskClient) -> str:
    [line] = get(client, "/api/accounts/A/statement")["lines"]
    return f"/api/accounts/A/statement/{line['position']}/why?column=balance"


@pytest.mark.parametrize(
    "path",
    [
        "/api/accounts/A/statement/999/why?column=balance",
        "/accounts/A/statement/999/why?column=balance",
        "/api/accounts/NOBODY/statement/1/why?column=balance",
        "/api/ordered-products/why?product=NOBODY&column=unit_price",
        "/api/ordered-products/why?product=NOBODY&column=unit_price&as_of=2999-01-01",
    ],
)
def test_for_what_is_not_there_the_log_is_not_folded(
    client: FlaskClient, folds: list[str], path: str
) -> None:
    assert client.get(path).status_code in (404, 400)
    assert folds == []


def test_a_line_is_made_of_its_account_alone(
    client: FlaskClient, folds: list[str]
) -> None:
    found = get(client, line_of_a_deposit(client))

    assert (found["value"], found["events"], folds) == (500, 1, [])


def test_a_line_that_the_table_lost_is_explained_and_wrong(
    shop: Shop, client: FlaskClient, folds: list[str]
) -> None:
    path = line_of_a_deposit(client)
    with shop.lent() as connection:
        connection.execute("DELETE FROM readmodels.account_statement_g1")

    found = get(client, path)

    assert (found["value"], found["is_there"], found["is_wrong"]) == (500, True, True)
    assert folds == []


def test_of_what_is_not_folded_to_the_end_nobody_knows_whether_it_is_there(
    client: FlaskClient, folds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/api/figures/why?column=orders"
    assert (get(client, path)["is_there"], get(client, path)["value"]) == (True, 2)
    monkeypatch.setattr(asking, "MAX_EVENTS", 1)

    found = get(client, path)

    assert (found["is_there"], found["is_whole"]) == (None, False)
    assert (found["value"], found["is_wrong"]) == (None, False)
    assert folds == ["figures"] * 3


def test_a_row_of_too_many_events_is_refused(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_EVENTS", 1)

    found = get(client, "/api/orders/1/why?column=status", 422)

    assert "recount why" in found["detail"]


def test_all_orders_are_folded_for_a_caller_once_at_a_time(
    app: Flask, shop: Shop
) -> None:
    ann, ben = (user(shop, name, "auditor") for name in ("ann", "ben"))
    client = app.test_client()
    path = "/api/figures/why?column=orders"
    with shop.lent() as other:
        other.execute(f"SELECT pg_advisory_lock({asking.LOCK})", ["ann"])

        refused = client.get(path, headers=ann)

        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "1"
        assert client.get(path, headers=ben).status_code == 200
        of_order = client.get("/api/orders/1/why?column=status", headers=ann)
        assert of_order.status_code == 200
        other.execute(f"SELECT pg_advisory_unlock({asking.LOCK})", ["ann"])
    # Each answer lets go, and a refused question too.
    for column in ("orders", "nothing", "total", "orders"):
        status = 400 if column == "nothing" else 200
        path = f"/api/figures/why?column={column}"
        assert client.get(path, headers=ann).status_code == status
    with shop.lent() as other:
        free = other.execute(f"SELECT pg_try_advisory_lock({asking.LOCK})", ["ann"])
        assert free.fetchone() == (True,)


def test_a_row_that_cannot_be_read_is_called_wrong(
    shop: Shop, client: FlaskClient
) -> None:
    with shop.lent() as connection:
        connection.execute("UPDATE readmodels.order_details_g1 SET lines = '[7]'")

    found = get(client, "/api/orders/1/why?column=status")
    page = client.get("/orders/1/why?column=status")

    assert (found["is_wrong"], found["value"]) == (True, "pending")
    assert page.status_code == 200
    assert "what cannot be read" in page.text


def test_a_moment_that_is_not_read_yet_is_asked_for_again(
    shop: Shop, client: FlaskClient
) -> None:
    happen(shop, pay, key="later")
    with shop.lent() as connection:
        end = connection.execute("SELECT max(id) FROM events").fetchone()
    assert end is not None
    path = f"/api/orders/1/why?column=status&as_of_position={end[0]}"

    found = client.get(path)

    assert found.status_code == 503
    assert found.get_json()["type"].endswith("/read-model-behind")
    assert found.headers["Retry-After"] == "1"

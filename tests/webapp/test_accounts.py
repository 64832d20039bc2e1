"""The pages and the API of accounts and transfers."""

import re
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from readmodels import account_statement, accounts, transfers
from tasks.shop.wiring import Shop
from tests.support.money import Bank
from tests.support.visiting import Browser, Send, ask, assert_problem


@pytest.fixture
def bank(shop: Shop) -> Bank:
    shop.projections = [p.projection for p in (accounts, account_statement, transfers)]
    return Bank(shop)


@pytest.fixture
def done(send: Send, bank: Bank) -> Any:
    """Send commands by the API, and run all that follows."""

    def done(*asked: tuple[str, dict[str, Any]]) -> None:
        for name, data in asked:
            response = send(name, data, key=str(uuid4()))
            assert response.status_code == 202, response.text
        bank.work()

    return done


ALICE = ("OpenAccount", {"account_id": "ALICE"})
BOB = ("OpenAccount", {"account_id": "BOB"})
MONEY = ("Deposit", {"account_id": "ALICE", "amount": 100_000})


def transfer(amount: int = 400, to: str = "BOB") -> tuple[str, dict[str, Any]]:
    return (
        "TransferMoney",
        {"from_account": "ALICE", "to_account": to, "amount": amount},
    )


def test_the_api_tells_what_is_in_an_account(client: FlaskClient, done: Any) -> None:
    done(ALICE, BOB, MONEY)
    done(transfer(400))
    account = ask(client, "/api/accounts/ALICE")

    assert (account["balance"], account["currency"], account["status"]) == (
        99_600,
        "EUR",
        "open",
    )
    (bob, alice) = ask(client, "/api/accounts?sort=balance")["accounts"]
    assert (bob["account_id"], alice["account_id"]) == ("BOB", "ALICE")


def test_a_statement_is_turned_page_by_page(client: FlaskClient, done: Any) -> None:
    done(ALICE, BOB, MONEY)
    done(transfer(400), transfer(500, to="B0B"))
    path: str | None = "/api/accounts/ALICE/statement?limit=1"
    lines = []
    while path:
        page = ask(client, path)
        lines += page["lines"]
        path = page["next"]

    assert [(line["kind"], line["balance"]) for line in lines] == [
        ("returned", 99_600),
        ("sent", 99_100),
        ("sent", 99_600),
        ("deposit", 100_000),
    ]
    assert lines[0]["rule"] == "UnknownAccount"


def test_the_api_tells_how_transfers_have_ended(client: FlaskClient, done: Any) -> None:
    done(ALICE, BOB, MONEY)
    done(transfer(400), transfer(500, to="B0B"))
    first, second = ask(client, "/api/transfers?sort=transfer")["transfers"]
    (compensated,) = ask(client, "/api/transfers?status=compensated")["transfers"]

    assert (first["status"], second["status"]) == ("completed", "compensated")
    assert compensated == second
    assert ask(client, "/api/transfers?account=BOB")["transfers"] == [first]
    one = ask(client, "/api/transfers/2")
    assert (one["reason"], one["links"]["to_account"]) == (
        "There is no account B0B.",
        "/api/accounts/B0B",
    )


@pytest.mark.parametrize(
    "path",
    ["/api/accounts/N0", "/api/accounts/N0/statement", "/api/transfers/7"],
)
def test_what_is_not_there_is_told_so(
    client: FlaskClient, bank: Bank, path: str
) -> None:
    assert_problem(client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        "/api/accounts?status=rich",
        "/api/accounts/A/statement?sort=balance",
        "/api/transfers?status=lost",
        "/api/transfers?after=garbage",
    ],
)
def test_what_cannot_be_meant_is_refused(
    client: FlaskClient, done: Any, path: str
) -> None:
    done(("OpenAccount", {"account_id": "A"}))

    assert_problem(client.get(path), 400, "bad-request")


def test_a_finished_command_leads_to_its_account(
    client: FlaskClient, send: Send, bank: Bank
) -> None:
    answer = send(*ALICE)
    bank.work()
    links = ask(client, answer.headers["Location"])["links"]

    assert ask(client, links["account"])["account_id"] == "ALICE"


@pytest.mark.parametrize(
    "name", ["WithdrawForTransfer", "ReturnWithdrawal", "CompleteTransfer"]
)
def test_what_process_managers_send_is_no_command_of_the_api(
    send: Send, name: str
) -> None:
    problem = assert_problem(send(name, {"transfer_id": 1}), 422, "invalid-input")

    assert "is unknown" in str(problem)
    assert f"{name}," not in str(problem)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"to_account": "ALICE"}, "to_account"),
        ({"amount": 0}, "amount"),
        ({"amount": 1.5}, "amount"),
        ({"amount": -1}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"transfer_id": 7}, "transfer_id"),
    ],
)
def test_a_transfer_that_is_none_is_refused_by_field(
    send: Send, data: dict[str, Any], field: str
) -> None:
    name, whole = transfer()
    problem = assert_problem(send(name, {**whole, **data}), 422, "invalid-input")

    assert [fault["field"] for fault in problem["faults"]] == [field]


def test_withdrawing_more_than_there_is_is_rejected_with_the_figures(
    client: FlaskClient, send: Send, done: Any, bank: Bank
) -> None:
    done(ALICE, MONEY)
    answer = send("Withdraw", {"account_id": "ALICE", "amount": 100_001})
    bank.work()
    command = ask(client, answer.headers["Location"])

    assert command["status"] == "rejected"
    assert command["error"]["rule"] == "NotEnoughMoney"
    assert command["error"]["figures"]["balance"] == 100_000


def test_a_version_that_was_read_is_the_one_that_counts_also_after_a_refusal(
    client: FlaskClient, send: Send, done: Any, bank: Bank
) -> None:
    done(ALICE, BOB, MONEY)
    done(transfer(100_001))
    version = client.get("/api/accounts/ALICE").headers["ETag"]
    seen = {"If-Match": version}
    answer = send("Withdraw", {"account_id": "ALICE", "amount": 1}, **seen)
    bank.work()

    assert version == '"3"'
    assert ask(client, answer.headers["Location"])["status"] == "succeeded"


def test_what_was_refused_under_a_mistyped_name_is_no_account(
    client: FlaskClient, done: Any
) -> None:
    done(ALICE, MONEY)
    done(transfer(400, to="B0B"))

    (account,) = ask(client, "/api/accounts")["accounts"]
    assert account["account_id"] == "ALICE"


def test_an_account_is_opened_used_and_closed_by_forms(
    browser: Browser, bank: Bank
) -> None:
    assert "There are no accounts yet." in browser.see("/accounts")
    opened = browser.send("/accounts/new", account_id="ALICE")
    bank.work()
    assert "Account ALICE is opened" in browser.fate(opened)
    browser.send("/accounts/ALICE/deposit", amount="12.50")
    bank.work()
    assert "12.50 EUR" in browser.see("/accounts/ALICE")
    browser.send("/accounts/ALICE/withdrawal", amount="12.50")
    bank.work()
    browser.send("/accounts/ALICE/closing")
    bank.work()
    page = browser.see("/accounts/ALICE")

    assert "Open it again" in page
    assert re.findall(r'data-label="Balance"><span>([^<]+)<', page) == ["0.00", "12.50"]


def test_a_transfer_is_made_by_a_form(browser: Browser, bank: Bank, done: Any) -> None:
    assert "There are no transfers yet." in browser.see("/transfers")
    done(ALICE, BOB, MONEY)
    typed = {"from_account": "ALICE", "to_account": "BOB"}
    sent = browser.send("/transfers/new", **typed, amount="4.00")
    bank.work()

    assert "Transfer 1 is requested" in browser.fate(sent)
    assert "completed" in browser.see("/transfers/1")
    assert "4.00 EUR" in browser.see("/transfers")
    assert "/transfers/1" in browser.see("/accounts/BOB")


def test_an_amount_that_is_none_gets_an_example(browser: Browser, bank: Bank) -> None:
    sent = browser.send(
        "/transfers/new", from_account="ALICE", to_account="BOB", amount="1000,005"
    )

    assert sent.status_code == 422
    assert "write it like 12.50" in sent.text.lower()
    assert 'value="ALICE"' in sent.text


def test_a_refused_payment_shows_what_was_typed(
    browser: Browser, bank: Bank, done: Any
) -> None:
    done(ALICE)
    sent = browser.send("/accounts/ALICE/withdrawal", amount="5.00")
    bank.work()
    page = browser.fate(sent)

    assert "has 0.00 EUR, and 5.00 EUR is more than that" in page
    assert 'value="5.00"' in page


def test_a_closed_account_that_is_not_empty_is_shown_to_operators(
    browser: Browser, bank: Bank, done: Any, send: Send
) -> None:
    done(ALICE, ("Deposit", {"account_id": "ALICE", "amount": 400}))
    send(*transfer(to="B0B"), key="a")
    bank.step()
    bank.step()
    done(("CloseAccount", {"account_id": "ALICE"}))

    assert "Closed, and not empty" in browser.see("/accounts")
    assert "It is closed, and not empty" in browser.see("/accounts/ALICE")
    assert "There is no account B0B." in browser.see("/transfers/1")


def test_a_text_is_shown_as_text(browser: Browser, bank: Bank) -> None:
    sent = browser.send("/accounts/new", account_id="<script>")

    assert sent.status_code == 422
    assert 'value="<script>"' not in sent.text
    assert 'value="&lt;script&gt;"' in sent.text

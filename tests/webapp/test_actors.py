"""Who did it is told by every event, however its command came in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.commands_submit import submit
from domain.accounts.commands import DepositFromTransfer
from eventstore.access.users import set_disabled
from tasks.shop.wiring import Shop
from tests.support.desk import alice, place
from tests.support.money import Bank, opened, with_money
from tests.support.users import user
from tests.support.visiting import Browser

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()


@pytest.fixture
def bank(shop: Shop) -> Bank:
    return Bank(shop)


def actors(bank: Bank) -> Sequence[tuple[str, str | None]]:
    """Return the type of each event, and who is said to have done it."""
    with bank.shop.lent() as connection:
        return connection.execute(
            "SELECT type, metadata ->> 'actor' FROM events ORDER BY id"
        ).fetchall()


def let_tomorrow_come(bank: Bank) -> None:
    with bank.shop.lent() as connection:
        connection.execute("UPDATE commands SET not_before = now()")
    bank.work()


def opening(account_id: str, **more: str) -> dict[str, Any]:
    return {"type": "OpenAccount", "data": {"account_id": account_id}, **more}


def test_who_asks_by_a_token_is_the_actor(client: FlaskClient, bank: Bank) -> None:
    carla = user(bank.shop, "carla", "bookkeeper")
    one, later = {"Idempotency-Key": "1", **carla}, {"Idempotency-Key": "2", **carla}
    client.post("/api/commands", json=opening("A"), headers=one)
    client.post("/api/commands/batch", json=[opening("B", key="b")], headers=carla)
    scheduled = opening("C", not_before=TOMORROW)
    client.post("/api/commands", json=scheduled, headers=later)
    let_tomorrow_come(bank)

    assert actors(bank) == [("AccountOpened", "carla")] * 3


def test_who_is_on_this_computer_is_local(
    browser: Browser, bank: Bank, tmp_path: Path
) -> None:
    browser.send("/accounts/new", account_id="A")
    file = tmp_path / "accounts.jsonl"
    file.write_text('{"type": "OpenAccount", "data": {"account_id": "B"}}')
    assert CliRunner().invoke(submit, [str(file)]).exit_code == 0
    bank.work()

    assert actors(bank) == [("AccountOpened", "local")] * 2


def test_what_follows_is_done_by_the_process_that_follows_it(bank: Bank) -> None:
    bank.shop.settings = replace(bank.shop.settings, unpaid_days=30)
    bank.do(alice, *with_money(bank.alice), opened(bank.bob))
    bank.do(place)
    bank.send(bank.asked())
    bank.work(bank.with_bug_in(DepositFromTransfer))
    bank.abandon()
    let_tomorrow_come(bank)

    assert {*actors(bank)[4:]} == {
        ("OrderCreated", "staff"),
        ("TransferRequested", "staff"),
        ("MoneyWithdrawn", "process:transfers"),
        ("TransferStepAbandoned", "process:abandoning"),
        ("OrderCancelled", "process:unpaid_orders"),
        ("WithdrawalReturned", "process:transfers"),
        ("TransferCompensated", "process:transfers"),
    }


def test_what_was_put_off_by_who_is_shut_out_until_then_is_not_done(
    client: FlaskClient, bank: Bank
) -> None:
    carla = user(bank.shop, "carla", "bookkeeper")
    answer = client.post(
        "/api/commands",
        json=opening("A", not_before=TOMORROW),
        headers={"Idempotency-Key": "1", **carla},
    )
    assert answer.status_code == 202
    with bank.shop.lent() as connection:
        set_disabled(connection, "carla", is_disabled=True)
    let_tomorrow_come(bank)

    assert actors(bank) == []
    with bank.shop.lent() as connection:
        row = connection.execute("SELECT status, error ->> 'rule' FROM commands")
        assert row.fetchall() == [("rejected", "NotAllowed")]

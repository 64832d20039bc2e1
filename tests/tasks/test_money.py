"""Money is conserved at every position of the log, whatever people ask for."""

import random
from typing import Any

import pytest

from domain.accounts.commands import (
    CloseAccount,
    Deposit,
    DepositFromTransfer,
    Withdraw,
    WithdrawForTransfer,
)
from domain.transfers.commands import TransferMoney
from readmodels import account_statement, accounts, transfers
from tasks.shop.wiring import Shop
from tests.faults.checker import Verdict
from tests.faults.checker.money import CONSERVED, check_money, count_ends
from tests.support.money import Bank, opened

STEPS: list[type] = [WithdrawForTransfer, DepositFromTransfer]
NAMES = [f"N{number}" for number in range(6)]


@pytest.fixture
def bank(shop: Shop) -> Bank:
    shop.projections = [p.projection for p in (accounts, account_statement, transfers)]
    return Bank(shop)


def anything(chance: random.Random) -> Any:
    name, other = chance.sample([*NAMES, "N0BODY"], 2)
    amount = chance.randint(1, 500)
    return chance.choice(
        [
            opened(name),
            opened(name),
            Deposit(account_id=name, amount=amount),
            Deposit(account_id=name, amount=amount),
            Withdraw(account_id=name, amount=amount),
            CloseAccount(account_id=name),
            *[
                TransferMoney(
                    from_account=name, to_account=other, amount=amount, currency="EUR"
                )
            ]
            * 6,
        ]
    )


def test_money_is_conserved_at_every_position(bank: Bank) -> None:
    chance = random.Random(7)
    bank.send(*map(opened, NAMES), *(Deposit(account_id=n, amount=900) for n in NAMES))
    for _ in range(6):
        bank.send(*(anything(chance) for _ in range(40)))
        # On some days a step has a bug, and an operator tries again, or gives it up.
        kind = chance.choice(STEPS)
        bank.step(bank.with_bug_in(kind) if chance.random() < 0.5 else None)
        for _ in range(chance.randint(0, 4)):
            if bank.has_failed():
                chance.choice([bank.retry, bank.abandon])()
    while bank.step() or bank.has_failed():
        if bank.has_failed():
            chance.choice([bank.retry, bank.abandon])()

    with bank.shop.lent() as connection:
        check_money(connection, verdict := Verdict())
        ends = count_ends(connection)
    assert verdict.broken == {}
    assert verdict.checked[CONSERVED] > 100
    assert ends.requested == ends.completed + ends.compensated
    assert min(ends.completed, ends.compensated) > 10


def test_the_read_models_tell_the_same_as_the_log(bank: Bank) -> None:
    chance = random.Random(8)
    bank.send(*map(opened, NAMES), *(anything(chance) for _ in range(100)))
    bank.work()

    with bank.shop.lent() as connection:
        rows = connection.execute(
            """
            SELECT a.account_id, a.balance, (
                SELECT s.balance FROM readmodels.account_statement AS s
                WHERE s.account_id = a.account_id AND s.rule IS NULL
                ORDER BY s.position DESC LIMIT 1
            ), (
                SELECT sum(
                    (e.data ->> 'amount')::bigint
                    * CASE type WHEN 'MoneyWithdrawn' THEN -1 ELSE 1 END
                )
                FROM events AS e
                WHERE e.stream_id = 'account-' || a.account_id AND e.type IN (
                    'MoneyDeposited', 'MoneyWithdrawn', 'WithdrawalReturned'
                )
            )
            FROM readmodels.accounts AS a
            """
        ).fetchall()
    assert len(rows) >= len(NAMES)
    assert [row for row in rows if not (row[1] == (row[2] or 0) == (row[3] or 0))] == []

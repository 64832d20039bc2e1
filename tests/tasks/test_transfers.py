"""Transfers from their request to their end: each state, and what brings it about."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from domain.accounts.commands import (
    CloseAccount,
    Deposit,
    DepositFromTransfer,
    ReturnWithdrawal,
    Withdraw,
    WithdrawForTransfer,
)
from domain.fields import MAX_BALANCE, MAX_TOTAL
from domain.transfers.process import CannotBeGivenUp
from readmodels import account_statement, accounts, transfers
from tasks import command_operations
from tasks.shop.wiring import Shop
from tests.support.databases import Databases
from tests.support.money import Bank, opened, with_money
from tests.support.settings import settings_for


@pytest.fixture(scope="module")
def one_shop(databases: Databases) -> Iterator[Shop]:
    """A shop for all tests of this file: each has accounts of its own."""
    with databases.lend() as url:
        shop = Shop(settings_for(url))
        views = (accounts, account_statement, transfers)
        shop.projections = [view.projection for view in views]
        shop.ensure_read_models()
        yield shop
        shop.engine.dispose()


numbers = count(1)


@pytest.fixture
def bank(one_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Bank:
    """A bank where Alice has ten euros, and Bob an account."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    number = next(numbers)
    bank = Bank(one_shop, f"ALICE{number}", f"BOB{number}")
    bank.send(*with_money(bank.alice), opened(bank.bob))
    bank.work()
    return bank


def end_of(bank: Bank) -> tuple[str, str | None]:
    found = bank.transfer()
    assert found.ended_at is not None
    return found.status, found.rule


def balances(bank: Bank) -> tuple[int, int]:
    return bank.balance(bank.alice), bank.balance(bank.bob)


def test_a_transfer_is_requested_first(bank: Bank) -> None:
    bank.send(bank.asked())
    bank.step()

    assert (bank.transfer().status, bank.transfer().ended_at) == ("requested", None)
    assert balances(bank) == (1_000, 0)


def test_its_money_is_in_transit_when_it_was_withdrawn(bank: Bank) -> None:
    bank.send(bank.asked())
    bank.step()
    bank.step()

    assert bank.transfer().status == "requested"
    assert balances(bank) == (600, 0)


def test_it_is_completed_when_the_money_has_arrived(bank: Bank) -> None:
    bank.do(bank.asked())

    assert end_of(bank) == ("completed", None)
    assert balances(bank) == (600, 400)


def test_it_is_compensated_when_its_source_is_unknown(bank: Bank) -> None:
    bank.do(replace(bank.asked(), from_account="NOBODY", to_account=bank.alice))

    assert end_of(bank) == ("compensated", "UnknownAccount")
    assert balances(bank) == (1_000, 0)


def test_it_is_compensated_when_there_is_not_enough_money(bank: Bank) -> None:
    bank.do(bank.asked(1_001))

    assert end_of(bank) == ("compensated", "NotEnoughMoney")
    assert balances(bank) == (1_000, 0)


def test_it_is_compensated_when_its_source_is_closed(bank: Bank) -> None:
    bank.do(Withdraw(account_id=bank.alice, amount=1_000))
    bank.do(CloseAccount(account_id=bank.alice))
    bank.do(bank.asked(1))

    assert end_of(bank) == ("compensated", "AccountIsClosed")


def test_it_is_compensated_when_its_target_is_unknown(bank: Bank) -> None:
    bank.do(bank.asked(to="BOO"))

    assert end_of(bank) == ("compensated", "UnknownAccount")
    assert bank.transfer().reason == "There is no account BOO."
    assert balances(bank) == (1_000, 0)


def test_an_account_whose_name_was_mistyped_can_be_opened_later(bank: Bank) -> None:
    bank.do(bank.asked(to="B0B"))
    bank.do(opened("B0B"), bank.asked(to="B0B"))

    assert end_of(bank) == ("completed", None)
    assert bank.balance("B0B") == 400


def test_it_is_compensated_when_its_target_is_closed_meanwhile(bank: Bank) -> None:
    bank.send(bank.asked())
    bank.step()
    bank.send(CloseAccount(account_id=bank.bob))
    bank.work()

    assert end_of(bank) == ("compensated", "AccountIsClosed")
    assert balances(bank) == (1_000, 0)


def test_it_is_compensated_when_its_target_is_full(bank: Bank) -> None:
    bank.do(*[Deposit(account_id=bank.bob, amount=MAX_TOTAL)] * 100)
    assert bank.balance(bank.bob) == MAX_BALANCE
    bank.do(bank.asked())

    assert end_of(bank) == ("compensated", "BalanceTooHigh")
    assert balances(bank) == (1_000, MAX_BALANCE)


def test_the_money_comes_back_to_a_source_that_is_closed_meanwhile(bank: Bank) -> None:
    bank.send(bank.asked(to="BOO"), Withdraw(account_id=bank.alice, amount=600))
    bank.step()
    bank.step()
    bank.send(CloseAccount(account_id=bank.alice))
    bank.work()

    assert end_of(bank) == ("compensated", "UnknownAccount")
    assert (bank.account(bank.alice).status, bank.balance(bank.alice)) == (
        "closed",
        400,
    )
    found = bank.ask(accounts.find_closed_and_not_empty)
    assert bank.alice in [account.account_id for account in found]


def test_a_closed_account_that_is_not_empty_is_opened_again_and_emptied(
    bank: Bank,
) -> None:
    test_the_money_comes_back_to_a_source_that_is_closed_meanwhile(bank)
    bank.do(opened(bank.alice), Withdraw(account_id=bank.alice, amount=400))
    bank.do(CloseAccount(account_id=bank.alice))

    found = bank.ask(accounts.find_closed_and_not_empty)
    assert bank.alice not in [account.account_id for account in found]
    assert bank.account(bank.alice).status == "closed"


@pytest.mark.parametrize("step", [WithdrawForTransfer, DepositFromTransfer])
def test_it_waits_for_an_operator_where_a_step_has_a_bug(
    bank: Bank, step: type
) -> None:
    bank.send(bank.asked())
    bank.work(bank.with_bug_in(step))

    assert bank.failed()
    assert bank.transfer().status == "requested"


@pytest.mark.parametrize("step", [WithdrawForTransfer, DepositFromTransfer])
def test_a_step_that_is_tried_again_goes_on_as_if_nothing_had_been(
    bank: Bank, step: type
) -> None:
    bank.send(bank.asked())
    bank.work(bank.with_bug_in(step))
    bank.retry()
    bank.work()

    assert end_of(bank) == ("completed", None)
    assert balances(bank) == (600, 400)


@pytest.mark.parametrize(
    ("kind", "step"),
    [(WithdrawForTransfer, "withdrawal"), (DepositFromTransfer, "deposit")],
)
def test_it_is_compensated_when_a_step_is_given_up(
    bank: Bank, kind: type, step: str
) -> None:
    bank.send(bank.asked())
    bank.work(bank.with_bug_in(kind))
    bank.abandon()
    bank.step()

    assert (bank.transfer().status, bank.transfer().given_up_step) == ("given up", step)

    bank.work()
    assert end_of(bank) == ("compensated", "StepAbandoned")
    assert balances(bank) == (1_000, 0)


def test_a_step_that_was_given_up_is_not_tried_again(bank: Bank) -> None:
    bank.send(bank.asked())
    bank.work(bank.with_bug_in(DepositFromTransfer))
    command_id = bank.failed()
    bank.abandon()
    with pytest.raises(AssertionError):
        bank.decide(command_operations.retry, command_id)
    bank.work()

    assert balances(bank) == (1_000, 0)


def test_the_return_of_money_is_never_given_up(bank: Bank) -> None:
    bank.send(bank.asked(to="BOO"))
    bank.work(bank.with_bug_in(ReturnWithdrawal))
    with pytest.raises(CannotBeGivenUp, match="ReturnWithdrawal"):
        bank.abandon()

    bank.retry()
    bank.work()
    assert end_of(bank) == ("compensated", "UnknownAccount")
    assert balances(bank) == (1_000, 0)


def test_a_statement_tells_every_movement_and_what_was_there_after_it(
    bank: Bank,
) -> None:
    bank.do(bank.asked(), bank.asked(to="BOO"))
    bank.do(bank.asked(900), Withdraw(account_id=bank.alice, amount=100))

    assert [
        (line.kind, line.change, line.balance, line.other_account)
        for line in bank.statement(bank.alice)
    ] == [
        ("deposit", 1_000, 1_000, None),
        ("sent", -400, 600, bank.bob),
        ("sent", -400, 200, "BOO"),
        ("returned", 400, 600, "BOO"),
        ("withdrawal", -100, 500, None),
        ("refused", 0, 500, bank.bob),
    ]


def test_a_transfer_is_told_as_one_conversation(bank: Bank) -> None:
    (command_id,) = bank.send(bank.asked())
    bank.work()

    with bank.shop.lent() as connection:
        rows = connection.execute(
            """
            SELECT type FROM events
            WHERE metadata ->> 'correlation_id' = %s ORDER BY id
            """,
            (str(command_id),),
        ).fetchall()
    assert [type_ for (type_,) in rows] == [
        "TransferRequested",
        "MoneyWithdrawn",
        "MoneyDeposited",
        "TransferCompleted",
    ]

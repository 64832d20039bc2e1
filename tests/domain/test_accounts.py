"""The rules of an account."""

from dataclasses import replace

import pytest

from domain.accounts import commands, events, rules
from domain.accounts.account import Account, decide, evolve
from domain.fields import MAX_BALANCE
from eventstore.testing.specification import Specification

account = Specification(initial=Account(), decide=decide, evolve=evolve)

open_it = commands.OpenAccount(account_id="ALICE", currency="EUR")
opened = events.AccountOpened(currency="EUR")
deposit = commands.Deposit(account_id="ALICE", amount=1_000)
deposited = events.MoneyDeposited(amount=1_000)
withdraw = commands.Withdraw(account_id="ALICE", amount=1_000)
withdrawn = events.MoneyWithdrawn(amount=1_000)
close = commands.CloseAccount(account_id="ALICE")
closed = events.AccountClosed()

send = commands.WithdrawForTransfer(
    account_id="ALICE", transfer_id=7, to_account="BOB", amount=1_000
)
sent = events.MoneyWithdrawn(amount=1_000, transfer_id=7, to_account="BOB")
receive = commands.DepositFromTransfer(
    account_id="ALICE", transfer_id=8, from_account="BOB", amount=1_000
)
received = events.MoneyDeposited(amount=1_000, transfer_id=8, from_account="BOB")
give_back = commands.ReturnWithdrawal(
    account_id="ALICE",
    transfer_id=7,
    to_account="BOB",
    amount=1_000,
    rule="AccountIsClosed",
    reason="Account BOB is closed.",
)
returned = events.WithdrawalReturned(
    amount=1_000,
    transfer_id=7,
    to_account="BOB",
    rule="AccountIsClosed",
    reason="Account BOB is closed.",
)
refund = commands.DepositRefund(
    account_id="ALICE", order_id=1, amount=500, currency="EUR"
)
refunded = events.MoneyDeposited(amount=500, order_id=1)


def test_an_account_is_opened_once() -> None:
    account.given().when(open_it).then(opened)
    account.given(opened).when(open_it).then_rejected(rules.AccountAlreadyOpen, "ALICE")


def test_money_comes_in_and_goes_out() -> None:
    account.given(opened).when(deposit).then(deposited)
    account.given(opened, deposited).when(withdraw).then(withdrawn)


def test_no_more_goes_out_than_is_there() -> None:
    more = replace(withdraw, amount=1_001)

    account.given(opened, deposited).when(more).then_rejected(
        rules.NotEnoughMoney, "has 10.00 EUR, and 10.01 EUR is more"
    )


def test_money_that_went_out_is_not_there_any_more() -> None:
    account.given(opened, deposited, withdrawn).when(withdraw).then_rejected(
        rules.NotEnoughMoney, "has 0.00 EUR"
    )


@pytest.mark.parametrize("command", [deposit, withdraw, close])
def test_an_account_is_opened_before_it_is_used(command: object) -> None:
    account.given().when(command).then_rejected(rules.UnknownAccount, "ALICE")


def test_a_refused_deposit_opens_no_account() -> None:
    mistyped = events.DepositRejected(
        amount=1_000,
        transfer_id=8,
        from_account="BOB",
        rule="UnknownAccount",
        reason="There is no account ALICE.",
    )

    account.given(mistyped).when(deposit).then_rejected(rules.UnknownAccount)
    account.given(mistyped).when(open_it).then(opened)
    account.given(mistyped, opened).when(receive).then(received)


@pytest.mark.parametrize("command", [deposit, withdraw])
def test_a_closed_account_takes_no_money_and_gives_none(command: object) -> None:
    account.given(opened, closed).when(command).then_rejected(rules.AccountIsClosed)


def test_an_account_is_closed_when_it_is_empty() -> None:
    account.given(opened).when(close).then(closed)
    account.given(opened, deposited, withdrawn).when(close).then(closed)
    account.given(opened, deposited).when(close).then_rejected(
        rules.AccountNotEmpty, "10.00 EUR is in it"
    )


def test_closing_twice_changes_nothing() -> None:
    account.given(opened, closed).when(close).then_nothing()


def test_a_closed_account_can_be_opened_again_with_what_came_back_to_it() -> None:
    late = (opened, deposited, sent, closed, returned)

    account.given(*late).when(withdraw).then_rejected(rules.AccountIsClosed)
    account.given(*late).when(open_it).then(opened)
    account.given(*late, opened).when(withdraw).then(withdrawn)


def test_a_balance_stays_a_number_that_every_reader_agrees_on() -> None:
    full = events.MoneyDeposited(amount=MAX_BALANCE - 999)

    account.given(opened, full).when(deposit).then_rejected(rules.BalanceTooHigh)
    account.given(opened, full).when(replace(deposit, amount=999)).then(
        events.MoneyDeposited(amount=999)
    )


def test_a_transfer_takes_its_money() -> None:
    account.given(opened, deposited).when(send).then(sent)


@pytest.mark.parametrize(
    ("past", "rule", "reason"),
    [
        ([], "UnknownAccount", "There is no account ALICE."),
        ([opened, closed], "AccountIsClosed", "Account ALICE is closed."),
        (
            [opened],
            "NotEnoughMoney",
            "Account ALICE has 0.00 EUR, and 10.00 EUR is more than that.",
        ),
    ],
)
def test_a_transfer_hears_that_its_money_cannot_go_out(
    past: list[events.AccountEvent], rule: str, reason: str
) -> None:
    account.given(*past).when(send).then(
        events.WithdrawalRejected(
            amount=1_000, transfer_id=7, to_account="BOB", rule=rule, reason=reason
        )
    )


def test_a_transfer_brings_its_money() -> None:
    account.given(opened).when(receive).then(received)


@pytest.mark.parametrize(
    ("past", "rule", "reason"),
    [
        ([], "UnknownAccount", "There is no account ALICE."),
        ([opened, closed], "AccountIsClosed", "Account ALICE is closed."),
        (
            [opened, events.MoneyDeposited(amount=MAX_BALANCE)],
            "BalanceTooHigh",
            "An account has at most 10,000,000,000,000.00 EUR; "
            "ALICE has 10,000,000,000,000.00 EUR already.",
        ),
    ],
)
def test_a_transfer_hears_that_its_money_cannot_come_in(
    past: list[events.AccountEvent], rule: str, reason: str
) -> None:
    account.given(*past).when(receive).then(
        events.DepositRejected(
            amount=1_000, transfer_id=8, from_account="BOB", rule=rule, reason=reason
        )
    )


@pytest.mark.parametrize(
    "past",
    [
        [opened, deposited, sent],
        [opened, deposited, sent, closed],
        [opened, deposited, sent, events.MoneyDeposited(amount=MAX_BALANCE)],
    ],
    ids=["open", "closed", "full"],
)
def test_money_comes_back_whatever_the_account_is(
    past: list[events.AccountEvent],
) -> None:
    account.given(*past).when(give_back).then(returned)


def test_a_refund_goes_to_the_account_that_there_is() -> None:
    account.given(opened).when(refund).then(refunded)


@pytest.mark.parametrize("past", [[], [opened, closed]], ids=["none", "closed"])
def test_a_refund_opens_an_account_where_there_is_none(
    past: list[events.AccountEvent],
) -> None:
    account.given(*past).when(refund).then(opened, refunded)

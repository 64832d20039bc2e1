"""The account: what goes in and out of it, and what each event makes of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from domain.accounts import commands, events, rules
from domain.errors import Rejection
from domain.fields import MAX_BALANCE
from domain.money import Money


class Status(StrEnum):
    """Whether an account takes money; NONE has at most refused some."""

    NONE = "none"
    OPEN = "open"
    CLOSED = "closed"


NOTHING = Money(0, "")


@dataclass(frozen=True, slots=True)
class Account:
    """An account, as its events so far leave it."""

    status: Status = Status.NONE
    balance: Money = NOTHING


def decide(
    account: Account, command: commands.AccountCommand
) -> list[events.AccountEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    match command:
        case commands.OpenAccount():
            return open_account(account, command)
        case commands.Deposit():
            check_deposit(account, command)
            return [events.MoneyDeposited(amount=command.amount)]
        case commands.Withdraw():
            check_withdrawal(account, command)
            return [events.MoneyWithdrawn(amount=command.amount)]
        case commands.CloseAccount():
            return close(account, command)
        case commands.WithdrawForTransfer():
            return withdraw_for_transfer(account, command)
        case commands.DepositFromTransfer():
            return deposit_from_transfer(account, command)
        case commands.ReturnWithdrawal():
            return [
                events.WithdrawalReturned(
                    amount=command.amount,
                    transfer_id=command.transfer_id,
                    to_account=command.to_account,
                    rule=command.rule,
                    reason=command.reason,
                )
            ]
        case commands.DepositRefund():
            return deposit_refund(account, command)
        case _:
            assert_never(command)


def open_account(
    account: Account, command: commands.OpenAccount
) -> list[events.AccountEvent]:
    if account.status is Status.OPEN:
        raise rules.AccountAlreadyOpen(account_id=command.account_id)
    return [events.AccountOpened(currency=command.currency)]


def close(
    account: Account, command: commands.CloseAccount
) -> list[events.AccountEvent]:
    if account.status is Status.CLOSED:
        return []
    check_open(account, command.account_id)
    if account.balance.amount:
        raise rules.AccountNotEmpty(
            account_id=command.account_id, balance=account.balance
        )
    return [events.AccountClosed()]


def withdraw_for_transfer(
    account: Account, command: commands.WithdrawForTransfer
) -> list[events.AccountEvent]:
    """A refusal is an event here: the transfer must hear of it."""
    try:
        check_withdrawal(account, command)
    except Rejection as rejection:
        return [
            events.WithdrawalRejected(
                amount=command.amount,
                transfer_id=command.transfer_id,
                to_account=command.to_account,
                rule=type(rejection).__name__,
                reason=str(rejection),
            )
        ]
    return [
        events.MoneyWithdrawn(
            amount=command.amount,
            transfer_id=command.transfer_id,
            to_account=command.to_account,
        )
    ]


def deposit_from_transfer(
    account: Account, command: commands.DepositFromTransfer
) -> list[events.AccountEvent]:
    """A refusal is an event here, too: it may be the first of a mistyped account."""
    try:
        check_deposit(account, command)
    except Rejection as rejection:
        return [
            events.DepositRejected(
                amount=command.amount,
                transfer_id=command.transfer_id,
                from_account=command.from_account,
                rule=type(rejection).__name__,
                reason=str(rejection),
            )
        ]
    return [
        events.MoneyDeposited(
            amount=command.amount,
            transfer_id=command.transfer_id,
            from_account=command.from_account,
        )
    ]


def deposit_refund(
    account: Account, command: commands.DepositRefund
) -> list[events.AccountEvent]:
    deposited = events.MoneyDeposited(amount=command.amount, order_id=command.order_id)
    if account.status is Status.OPEN:
        return [deposited]
    return [events.AccountOpened(currency=command.currency), deposited]


def check_open(account: Account, account_id: str) -> None:
    if account.status is Status.NONE:
        raise rules.UnknownAccount(account_id=account_id)
    if account.status is Status.CLOSED:
        raise rules.AccountIsClosed(account_id=account_id)


def check_deposit(
    account: Account, command: commands.Deposit | commands.DepositFromTransfer
) -> None:
    """Raise the rule that forbids a deposit."""
    check_open(account, command.account_id)
    if account.balance.amount + command.amount > MAX_BALANCE:
        raise rules.BalanceTooHigh(
            account_id=command.account_id,
            highest=replace(account.balance, amount=MAX_BALANCE),
            balance=account.balance,
        )


def check_withdrawal(
    account: Account, command: commands.Withdraw | commands.WithdrawForTransfer
) -> None:
    """Raise the rule that forbids a withdrawal."""
    check_open(account, command.account_id)
    if account.balance.amount < command.amount:
        raise rules.NotEnoughMoney(
            account_id=command.account_id,
            balance=account.balance,
            asked=replace(account.balance, amount=command.amount),
        )


def evolve(account: Account, event: events.AccountEvent) -> Account:
    """Return the account after *event*."""
    match event:
        case events.AccountOpened():
            # What came back to it while it was closed is there still.
            balance = replace(account.balance, currency=event.currency)
            return replace(account, status=Status.OPEN, balance=balance)
        case events.MoneyDeposited() | events.WithdrawalReturned():
            return with_balance(account, event.amount)
        case events.MoneyWithdrawn():
            return with_balance(account, -event.amount)
        case events.AccountClosed():
            return replace(account, status=Status.CLOSED)
        case events.DepositRejected() | events.WithdrawalRejected():
            return account
        case _:
            assert_never(event)


def with_balance(account: Account, change: int) -> Account:
    amount = account.balance.amount + change
    return replace(account, balance=replace(account.balance, amount=amount))

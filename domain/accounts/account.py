"""The account: what goes in and out of it, and what each event makes of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from domain.accounts.commands import (
    AccountCommand,
    CloseAccount,
    Deposit,
    DepositFromTransfer,
    DepositRefund,
    OpenAccount,
    ReturnWithdrawal,
    Withdraw,
    WithdrawForTransfer,
)
from domain.accounts.events import (
    AccountClosed,
    AccountEvent,
    AccountOpened,
    DepositRejected,
    MoneyDeposited,
    MoneyWithdrawn,
    WithdrawalRejected,
    WithdrawalReturned,
)
from domain.accounts.rules import (
    AccountAlreadyOpen,
    AccountIsClosed,
    AccountNotEmpty,
    BalanceTooHigh,
    NotEnoughMoney,
    UnknownAccount,
)
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


def decide(account: Account, command: AccountCommand) -> list[AccountEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    match command:
        case OpenAccount():
            return open_account(account, command)
        case Deposit():
            check_deposit(account, command)
            return [MoneyDeposited(amount=command.amount)]
        case Withdraw():
            check_withdrawal(account, command)
            return [MoneyWithdrawn(amount=command.amount)]
        case CloseAccount():
            return close(account, command)
        case WithdrawForTransfer():
            return withdraw_for_transfer(account, command)
        case DepositFromTransfer():
            return deposit_from_transfer(account, command)
        case ReturnWithdrawal():
            return [
                WithdrawalReturned(
                    amount=command.amount,
                    transfer_id=command.transfer_id,
                    to_account=command.to_account,
                    rule=command.rule,
                    reason=command.reason,
                )
            ]
        case DepositRefund():
            return deposit_refund(account, command)
        case _:
            assert_never(command)


def open_account(account: Account, command: OpenAccount) -> list[AccountEvent]:
    if account.status is Status.OPEN:
        raise AccountAlreadyOpen(account_id=command.account_id)
    return [AccountOpened(currency=command.currency)]


def close(account: Account, command: CloseAccount) -> list[AccountEvent]:
    if account.status is Status.CLOSED:
        return []
    check_open(account, command.account_id)
    if account.balance.amount:
        raise AccountNotEmpty(account_id=command.account_id, balance=account.balance)
    return [AccountClosed()]


def withdraw_for_transfer(
    account: Account, command: WithdrawForTransfer
) -> list[AccountEvent]:
    """A refusal is an event here: the transfer must hear of it."""
    try:
        check_withdrawal(account, command)
    except Rejection as rejection:
        return [
            WithdrawalRejected(
                amount=command.amount,
                transfer_id=command.transfer_id,
                to_account=command.to_account,
                rule=type(rejection).__name__,
                reason=str(rejection),
            )
        ]
    return [
        MoneyWithdrawn(
            amount=command.amount,
            transfer_id=command.transfer_id,
            to_account=command.to_account,
        )
    ]


def deposit_from_transfer(
    account: Account, command: DepositFromTransfer
) -> list[AccountEvent]:
    """A refusal is an event here, too: it may be the first of a mistyped account."""
    try:
        check_deposit(account, command)
    except Rejection as rejection:
        return [
            DepositRejected(
                amount=command.amount,
                transfer_id=command.transfer_id,
                from_account=command.from_account,
                rule=type(rejection).__name__,
                reason=str(rejection),
            )
        ]
    return [
        MoneyDeposited(
            amount=command.amount,
            transfer_id=command.transfer_id,
            from_account=command.from_account,
        )
    ]


def deposit_refund(account: Account, command: DepositRefund) -> list[AccountEvent]:
    deposited = MoneyDeposited(amount=command.amount, order_id=command.order_id)
    if account.status is Status.OPEN:
        return [deposited]
    return [AccountOpened(currency=command.currency), deposited]


def check_open(account: Account, account_id: str) -> None:
    if account.status is Status.NONE:
        raise UnknownAccount(account_id=account_id)
    if account.status is Status.CLOSED:
        raise AccountIsClosed(account_id=account_id)


def check_deposit(account: Account, command: Deposit | DepositFromTransfer) -> None:
    """Raise the rule that forbids a deposit."""
    check_open(account, command.account_id)
    if account.balance.amount + command.amount > MAX_BALANCE:
        raise BalanceTooHigh(
            account_id=command.account_id,
            highest=replace(account.balance, amount=MAX_BALANCE),
            balance=account.balance,
        )


def check_withdrawal(account: Account, command: Withdraw | WithdrawForTransfer) -> None:
    """Raise the rule that forbids a withdrawal."""
    check_open(account, command.account_id)
    if account.balance.amount < command.amount:
        raise NotEnoughMoney(
            account_id=command.account_id,
            balance=account.balance,
            asked=replace(account.balance, amount=command.amount),
        )


def evolve(account: Account, event: AccountEvent) -> Account:
    """Return the account after *event*."""
    match event:
        case AccountOpened():
            # What came back to it while it was closed is there still.
            balance = replace(account.balance, currency=event.currency)
            return replace(account, status=Status.OPEN, balance=balance)
        case MoneyDeposited() | WithdrawalReturned():
            return with_balance(account, event.amount)
        case MoneyWithdrawn():
            return with_balance(account, -event.amount)
        case AccountClosed():
            return replace(account, status=Status.CLOSED)
        case DepositRejected() | WithdrawalRejected():
            return account
        case _:
            assert_never(event)


def with_balance(account: Account, change: int) -> Account:
    amount = account.balance.amount + change
    return replace(account, balance=replace(account.balance, amount=amount))

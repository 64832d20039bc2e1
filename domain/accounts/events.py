"""The events of an account; amounts are in minor units of its currency."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened:
    """The account was opened: the first time, or again after it was closed."""

    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyDeposited:
    """Money came in: by hand, by a transfer, or as the refund of an order."""

    amount: int
    transfer_id: int | None = None
    from_account: str | None = None
    order_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRejected:
    """The deposit of a transfer was refused; *reason* is the message of *rule*."""

    amount: int
    transfer_id: int
    from_account: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyWithdrawn:
    """Money went out: by hand, or on its way to another account."""

    amount: int
    transfer_id: int | None = None
    to_account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalRejected:
    """The withdrawal of a transfer was refused; *reason* is the message of *rule*."""

    amount: int
    transfer_id: int
    to_account: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalReturned:
    """The money of a transfer was returned, even if the account is closed."""

    amount: int
    transfer_id: int
    to_account: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed:
    """The account was closed; it accepts only money that is returned to it."""


AccountEvent = (
    AccountOpened
    | MoneyDeposited
    | DepositRejected
    | MoneyWithdrawn
    | WithdrawalRejected
    | WithdrawalReturned
    | AccountClosed
)

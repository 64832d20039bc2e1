"""The commands of an account, from people and from process managers."""

from dataclasses import dataclass

from domain.fields import (
    AccountId,
    Currency,
    OrderNumber,
    Reason,
    Total,
    TransferNumber,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """Open an account; that of a customer has the customer's id."""

    account_id: AccountId
    currency: Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposit:
    """Pay money in; *amount* is in minor units."""

    account_id: AccountId
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Pay money out."""

    account_id: AccountId
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseAccount:
    """Close an account that is empty."""

    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawForTransfer:
    """Withdraw the money of a transfer from its source: the first step."""

    account_id: AccountId
    transfer_id: TransferNumber
    to_account: AccountId
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositFromTransfer:
    """Deposit the money of a transfer to its target: the second step."""

    account_id: AccountId
    transfer_id: TransferNumber
    from_account: AccountId
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnWithdrawal:
    """Return the money of a transfer to its source; it cannot be refused."""

    account_id: AccountId
    transfer_id: TransferNumber
    to_account: AccountId
    amount: Total
    rule: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRefund:
    """
    Deposit a refund to the customer's account; it cannot be refused.

    If the customer has no account, one is opened.
    """

    account_id: AccountId
    order_id: OrderNumber
    amount: Total
    currency: Currency


AccountStep = (
    WithdrawForTransfer | DepositFromTransfer | ReturnWithdrawal | DepositRefund
)
"""The commands that only process managers send."""

AccountCommand = OpenAccount | Deposit | Withdraw | CloseAccount | AccountStep

"""What can be asked of an account's stream, by people and by the shop itself."""

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
    """Open an account; a customer's is called as the customer is."""

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
    """Take the money of a transfer: its first step."""

    account_id: AccountId
    transfer_id: TransferNumber
    to_account: AccountId
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositFromTransfer:
    """Bring the money of a transfer: its second step."""

    account_id: AccountId
    transfer_id: TransferNumber
    from_account: AccountId
    amount: Total


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnWithdrawal:
    """Bring the money of a transfer back; it compensates, and cannot be refused."""

    account_id: AccountId
    transfer_id: TransferNumber
    to_account: AccountId
    amount: Total
    rule: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositRefund:
    """
    Bring a customer the money of an order back, which cannot be refused.

    Where there is no account, it is opened.
    """

    account_id: AccountId
    order_id: OrderNumber
    amount: Total
    currency: Currency


AccountStep = (
    WithdrawForTransfer | DepositFromTransfer | ReturnWithdrawal | DepositRefund
)
"""What process managers alone send."""

AccountCommand = OpenAccount | Deposit | Withdraw | CloseAccount | AccountStep

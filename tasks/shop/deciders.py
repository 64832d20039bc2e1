"""The wiring of what moves money: accounts, and transfers between them."""

from domain.accounts.account import Account
from domain.accounts.account import decide as decide_account
from domain.accounts.account import evolve as evolve_account
from domain.accounts.commands import (
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
    AccountOpened,
    DepositRejected,
    MoneyDeposited,
    MoneyWithdrawn,
    WithdrawalRejected,
    WithdrawalReturned,
)
from domain.errors import InvalidInput, Rejection
from domain.input import parse
from domain.transfers.commands import (
    AbandonTransferStep,
    CompensateTransfer,
    CompleteTransfer,
    TransferMoney,
)
from domain.transfers.events import (
    TransferCompensated,
    TransferCompleted,
    TransferRequested,
    TransferStepAbandoned,
)
from domain.transfers.process import abandoned
from domain.transfers.transfer import Transfer
from domain.transfers.transfer import decide as decide_transfer
from domain.transfers.transfer import evolve as evolve_transfer
from eventstore.aggregates.decider import Decider
from eventstore.log.codec import EventCodec

BY_PEOPLE = (OpenAccount, Deposit, Withdraw, CloseAccount)
STEPS = (WithdrawForTransfer, DepositFromTransfer, ReturnWithdrawal, DepositRefund)

ACCOUNTS = Decider(
    category="account",
    initial=Account(),
    decide=decide_account,
    evolve=evolve_account,
    events=EventCodec(
        [
            AccountOpened,
            MoneyDeposited,
            DepositRejected,
            MoneyWithdrawn,
            WithdrawalRejected,
            WithdrawalReturned,
            AccountClosed,
        ]
    ),
    commands=[*BY_PEOPLE, *STEPS],
    internal=STEPS,
    abandoned=abandoned,
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="account_id",
)

ENDS = (CompleteTransfer, CompensateTransfer, AbandonTransferStep)

TRANSFERS = Decider(
    category="transfer",
    initial=Transfer(),
    decide=decide_transfer,
    evolve=evolve_transfer,
    events=EventCodec(
        [
            TransferRequested,
            TransferCompleted,
            TransferCompensated,
            TransferStepAbandoned,
        ]
    ),
    commands=[TransferMoney, *ENDS],
    internal=ENDS,
    abandoned=abandoned,
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="transfer_id",
    numbers="transfer_numbers",
)

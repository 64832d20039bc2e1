"""The commands of a transfer, from people and from its process manager."""

from collections.abc import Iterator
from dataclasses import dataclass

from domain.errors import Fault
from domain.fields import AccountId, Currency, Reason, Total, TransferNumber

WITHDRAWAL = "withdrawal"
DEPOSIT = "deposit"


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferMoney:
    """Move money between accounts; the transfer gets its number when accepted."""

    from_account: AccountId
    to_account: AccountId
    amount: Total
    currency: Currency

    def faults(self) -> Iterator[Fault]:
        """Yield the faults that concern several fields."""
        if self.from_account == self.to_account:
            yield Fault("to_account", "must be another account than from_account")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTransfer:
    """Record that the money has arrived."""

    transfer_id: TransferNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensateTransfer:
    """Record that the money is back; *rule* and *reason* say why."""

    transfer_id: TransferNumber
    rule: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AbandonTransferStep:
    """Record that an operator has given up a step: the withdrawal or the deposit."""

    transfer_id: TransferNumber
    step: str


TransferEnd = CompleteTransfer | CompensateTransfer | AbandonTransferStep
"""The commands that only process managers send."""

TransferCommand = TransferMoney | TransferEnd

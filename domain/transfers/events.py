"""The events of a transfer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequested:
    """A transfer was requested; *amount* is in minor units of *currency*."""

    from_account: str
    to_account: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompleted:
    """The money has arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompensated:
    """The money is back in its source; *reason* is the message of *rule*."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStepAbandoned:
    """An operator has given up a failed *step*: `withdrawal` or `deposit`."""

    step: str
    from_account: str
    to_account: str
    amount: int


TransferEvent = (
    TransferRequested | TransferCompleted | TransferCompensated | TransferStepAbandoned
)

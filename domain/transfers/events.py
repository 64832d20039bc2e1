"""What can have happened to a transfer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequested:
    """*amount* is in minor units of *currency*."""

    from_account: str
    to_account: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompleted:
    """The money has arrived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferCompensated:
    """The money is where it was before: *reason* is what *rule* says."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferStepAbandoned:
    """An operator has given up the *step* `withdrawal` or `deposit`, which failed."""

    step: str
    from_account: str
    to_account: str
    amount: int


TransferEvent = (
    TransferRequested | TransferCompleted | TransferCompensated | TransferStepAbandoned
)

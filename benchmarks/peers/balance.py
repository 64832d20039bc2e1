"""The same small aggregate for both engines: deposits into a purse and its balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.log.codec import EventCodec


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    amount: int
    note: str


@dataclass(frozen=True, slots=True)
class Balance:
    total: int = 0
    payments: int = 0


class NeverRefused(Exception):
    """Nothing is refused here."""


def decide(balance: Balance, command: object) -> Sequence[Paid]:
    return []


def evolve(balance: Balance, paid: Paid) -> Balance:
    return Balance(balance.total + paid.amount, balance.payments + 1)


def read_command(kind: type, data: object) -> NoReturn:
    raise NeverRefused


DECIDERS = Deciders(
    [
        Decider(
            category="purse",
            initial=Balance(),
            decide=decide,
            evolve=evolve,
            events=EventCodec([Paid]),
            commands=[],
            rejection=NeverRefused,
            invalid=msgspec.ValidationError,
            read_command=read_command,
            identity="purse_id",
        )
    ]
)


class Purse(Aggregate):
    """As pyeventsourcing's own examples write an aggregate."""

    @event("Opened")
    def __init__(self) -> None:
        self.total = 0
        self.payments = 0

    @event("Paid")
    def pay(self, amount: int, note: str) -> None:
        self.total += amount
        self.payments += 1


class Purses(Application):
    """pyeventsourcing's application, with nothing set but where its database is."""

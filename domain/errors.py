"""
What the domain says no with.

DomainError
├── InvalidInput    it is not a command at all: fields are missing or wrong
└── Rejection       it is a command, and a rule of the shop refuses it
    ├── UnknownCustomer, NotEnoughMoney, … in the slice that has the rule
    └── StateRejection  whatever was typed, it would be refused
        └── OrderAlreadyCancelled, …
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from domain.money import Money


class DomainError(Exception):
    """The root of all that the domain raises."""


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One thing that is wrong with an input, and where (`items.0.quantity`).

    One that is *doubtful* is not wrong, but so unlikely that it is asked back: a sender
    who means it confirms the field.
    """

    field: str
    problem: str
    doubtful: bool = False


class InvalidInput(DomainError):
    """An input is no command; *faults* has all that is wrong, not only the first."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{f.field}: {f.problem}" for f in self.faults))


class Rejection(DomainError):
    """
    A rule that says no.

    The docstring of a rule is its message; *figures* fill the names in its braces and
    are kept with the refusal, so that a program can read them too: money as a number of
    minor units.
    """

    def __init__(self, **figures: str | int | Money) -> None:
        self.figures = {
            name: figure.amount if isinstance(figure, Money) else figure
            for name, figure in figures.items()
        }
        super().__init__((inspect.getdoc(type(self)) or "").format_map(figures))


class StateRejection(Rejection):
    """
    A rule about the state that something is in: no other input would be accepted.

    A form that was refused by one need not be shown again to be corrected.
    """

"""A claim: a value that at any time only one of a kind may have."""

from dataclasses import dataclass

from domain.errors import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """*taken* is the rule that refuses the *value* to everybody else in its *scope*."""

    scope: str
    value: str
    taken: type[Rejection]

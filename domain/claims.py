"""A claim: a value that only one stream may have at a time."""

from dataclasses import dataclass

from domain.errors import Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """*taken* is the rule that refuses the *value* to everybody else in its *scope*."""

    scope: str
    value: str
    taken: type[Rejection]

"""The kinds of field that commands are made of, and what each of them accepts."""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from domain import characters
from domain.email_address import EmailForm

PERSONAL = {"personal": True}
"""Marks a field of a command or an event as personal data."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

MAX_AMOUNT = 100_000_000_000
MAX_QUANTITY = 100_000
MAX_LINES = 500
MAX_TOTAL = 10_000_000_000_000
"""Of an order: so low that the sum of a million of them still fits into 64 bits."""
MAX_BALANCE = 1_000_000_000_000_000
"""Of an account: every reader of JSON still agrees on it."""


@dataclass(frozen=True, slots=True)
class Text:
    """
    A text of at most *max_length* characters; *pattern* is said as *form*.

    It has something that can be seen, and no character that misleads who reads it
    (`domain.characters`). One that *has_lines* may have several.
    """

    max_length: int
    pattern: str = ""
    form: str = ""
    has_lines: bool = False

    def problem(self, value: str) -> str | None:
        if not value.strip():
            return "must not be empty"
        if len(value) > self.max_length:
            return f"must have at most {self.max_length} characters"
        # PostgreSQL stores neither in a text, and a lone surrogate is no character.
        if _UNSTORABLE.search(value):
            return "must not contain a NUL or half a character"
        problem = characters.problem_with(value, has_lines=self.has_lines)
        if problem:
            return problem
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"must be {self.form}"
        return None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from *lowest* to *highest*."""

    lowest: int
    highest: int

    def problem(self, value: int) -> str | None:
        if not self.lowest <= value <= self.highest:
            return f"must be from {self.lowest:,} to {self.highest:,}"
        return None


@dataclass(frozen=True, slots=True)
class Several:
    """At least one and at most *most* of a kind; *if_empty* is said of none."""

    most: int
    if_empty: str

    def problem(self, value: tuple[object, ...]) -> str | None:
        if not value:
            return self.if_empty
        if len(value) > self.most:
            return f"must be at most {self.most}"
        return None


@dataclass(frozen=True, slots=True)
class Fraction:
    """A part of one, written as a decimal fraction of at most four digits."""

    def problem(self, value: Decimal) -> str | None:
        exponent = value.as_tuple().exponent
        # The exponent of a NaN is a letter, and a NaN compares with nothing.
        if not isinstance(exponent, int) or exponent < -4 or not 0 <= value <= 1:
            return 'must be a decimal fraction from "0" to "1", like "0.05"'
        return None


Rule = Text | Whole | Several | Fraction | EmailForm

Name = Annotated[str, Text(200)]
ShortText = Annotated[str, Text(60)]
Reason = Annotated[str, Text(500, has_lines=True)]
Email = Annotated[str, Text(254), EmailForm()]
CustomerId = Annotated[
    str,
    Text(
        40,
        r"[A-Za-z0-9][A-Za-z0-9._-]*",
        "letters, digits, dots, dashes or underscores, like 17 or ALFKI",
    ),
]
# A customer who brings an id may not bring a number: numbers are given by the shop.
ChosenCustomerId = Annotated[
    str,
    Text(
        40,
        r"[A-Za-z][A-Za-z0-9._-]*",
        "a letter first, then also digits, dots, dashes or underscores",
    ),
]
# An account has the name of the customer whose it is; others are the shop's own.
AccountId = Annotated[
    str,
    Text(
        40,
        r"[A-Za-z0-9][A-Za-z0-9._-]*",
        "letters, digits, dots, dashes or underscores, like 17, ALFKI or till",
    ),
]
PRODUCT_ID = Text(
    40,
    r"[A-Za-z0-9][A-Za-z0-9._-]*",
    "letters, digits, dots, dashes or underscores, like 17 or RC-1",
)
ProductId = Annotated[str, PRODUCT_ID]
TransferNumber = Annotated[int, Whole(1, 2**53)]
Currency = Annotated[str, Text(3, "[A-Z]{3}", "three capital letters, like EUR")]
OrderNumber = Annotated[int, Whole(1, 2**53)]
Days = Annotated[int, Whole(1, 3_650)]
Terms = Annotated[int, Whole(0, 365)]
LineNumber = Annotated[int, Whole(1, 2**31)]
PaymentNumber = Annotated[int, Whole(1, 2**31)]
ParcelNumber = Annotated[int, Whole(1, 2**31)]
Note = Annotated[str, Text(1_000, has_lines=True)]
Amount = Annotated[int, Whole(1, MAX_AMOUNT)]
Total = Annotated[int, Whole(1, MAX_TOTAL)]
Freight = Annotated[int, Whole(0, MAX_AMOUNT)]
Quantity = Annotated[int, Whole(1, MAX_QUANTITY)]
Discount = Annotated[Decimal, Fraction()]

"""
Read a number that somebody typed: as the shop's locale writes it, or as others do.

A sign may group digits in one country and begin the fraction in another. A text that
can be read in one way only is read, whichever locale it is from; `1.234` can be read in
two, and is asked about.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

from webapp.number_signs import NumberSigns

POINT, COMMA, APOSTROPHE, BLANK = ".", ",", "'", " "
ARABIC_DECIMAL, ARABIC_GROUP = "\u066b", "\u066c"
DECIMALS = (POINT, COMMA, ARABIC_DECIMAL)
"""The signs before the fraction, in any locale."""
GROUPS = (POINT, COMMA, APOSTROPHE, BLANK, ARABIC_GROUP)
"""The signs between groups of digits that are read in every locale."""
THREES = (3, 3)
"""The sizes of groups that are read in every locale."""
UNSEEN = "\u200e\u200f\u061c\u2066\u2067\u2068\u2069"
"""Marks of direction, which are in what is copied from a page."""
ALIKE = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\uff07", APOSTROPHE),
        "\uff0c": COMMA,
        "\uff0e": POINT,
        **dict.fromkeys(UNSEEN),
    }
)
"""Characters that keyboards and pages have for the same sign."""
MAX_DIGITS = 15


class TwoReadings(ValueError):
    """A text may mean the *whole* number, or the *decimal* with so many *digits*."""

    def __init__(self, whole: Decimal, decimal: Decimal, digits: int) -> None:
        super().__init__(f"can mean {whole} or {decimal}")
        self.whole = whole
        self.decimal = decimal
        self.digits = digits


@dataclass(frozen=True, slots=True)
class Parts:
    """A number in parts: what is before its last sign, the sign, and what is behind."""

    before: str
    sign: str
    behind: str


def read_number(text: str, digits: int, signs: NumberSigns) -> Decimal:
    """
    Return the number that *text* stands for, with at most so many *digits* of fraction.

    Raises TwoReadings, or another ValueError for what is no such number.
    """
    plain = simplify(text).strip()
    parts = split(plain)
    whole, decimal = read_whole(plain, signs), read_decimal(parts, signs)
    if whole is not None and decimal is not None:
        if parts.sign == simplify(signs.decimal) and len(parts.behind) == digits:
            # As pages write it: in full, by the own sign.
            return decimal
        if parts.sign == simplify(signs.group) and not digits:
            return whole
        raise TwoReadings(whole, decimal, len(parts.behind))
    if whole is not None:
        return whole
    if decimal is None or len(parts.behind) > digits:
        raise ValueError("not a number")
    return decimal


def read_whole(plain: str, signs: NumberSigns) -> Decimal | None:
    """Return the whole number that *plain* is, grouped or not; None if it is none."""
    for sign in {*GROUPS, simplify(signs.group)}:
        if sign in plain and is_grouped(plain.split(sign), signs):
            plain = plain.replace(sign, "")
    return Decimal(plain) if re.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}", plain) else None


def read_decimal(parts: Parts, signs: NumberSigns) -> Decimal | None:
    """Return the number that *parts* are, with a fraction; None if it is none."""
    if parts.sign not in DECIMALS or parts.sign in parts.before or not parts.behind:
        return None
    whole = read_whole(parts.before, signs)
    return None if whole is None else Decimal(f"{whole}.{parts.behind}")


def is_grouped(groups: Sequence[str], signs: NumberSigns) -> bool:
    """Return whether a number may be in these *groups*, each of digits alone."""
    if groups[0].startswith("0") or not all(map(is_digits, groups)):
        return False
    return any(fits(groups, *sizes) for sizes in (THREES, signs.grouping))


def fits(groups: Sequence[str], last: int, others: int) -> bool:
    first, *behind = map(len, groups)
    return first <= others and behind == [*[others] * (len(behind) - 1), last]


def is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def split(plain: str) -> Parts:
    """Return the parts of *plain* around its last sign, "" if it has none."""
    found = re.fullmatch(r"(?P<before>.*)(?P<sign>[^0-9])(?P<behind>[0-9]*)", plain)
    if found is None:
        return Parts(plain, "", "")
    return Parts(found["before"], found["sign"], found["behind"])


def simplify(text: str) -> str:
    """
    Return *text* with Latin digits, and one character for each sign.

    Raises ValueError for digits of several scripts: one of them is a mistake.
    """
    if len(scripts_of(text)) > 1:
        raise ValueError("digits of several scripts")
    return "".join(map(simple, text.translate(ALIKE)))


def simple(letter: str) -> str:
    value = unicodedata.decimal(letter, None)
    if value is not None:
        return str(value)
    return BLANK if unicodedata.category(letter) == "Zs" else letter


def scripts_of(text: str) -> Collection[int]:
    """Return the zeros that the digits of *text* count from, one for each script."""
    return {
        ord(letter) - value
        for letter in text
        if (value := unicodedata.decimal(letter, None)) is not None
    }

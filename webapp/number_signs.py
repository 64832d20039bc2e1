"""The signs with which a locale writes numbers, from the data of Babel."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale

ENGLISH = "en"
"""
The locale of a shop that sets none. Without a country it is written as pages always
were: 5 % with a blank, and the day before the month.
"""
LATIN = "latn"
"""Babel's name for the digits that pages write in every locale; each has its signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSigns:
    """
    The signs of one locale.

    *grouping* is how many digits the last group has, and each before it. *percent* is
    what is before a percentage and behind it.
    """

    decimal: str
    group: str
    minus: str
    grouping: tuple[int, int]
    percent: tuple[str, str]

    def write(self, value: Decimal, digits: int, *, is_grouped: bool = True) -> str:
        """Return *value*, rounded to so many *digits* behind the decimal sign."""
        whole, _, fraction = f"{abs(value):.{digits}f}".partition(".")
        if is_grouped:
            whole = self.group.join(self.groups_of(whole))
        minus = self.minus if value < 0 else ""
        return f"{minus}{whole}{self.decimal if fraction else ''}{fraction}"

    def groups_of(self, whole: str) -> list[str]:
        """Return the digits of a whole number in groups."""
        return list(groups_from_behind(whole, *self.grouping))[::-1]


def groups_from_behind(whole: str, last: int, others: int) -> Iterator[str]:
    size = last
    while len(whole) > size:
        yield whole[-size:]
        whole, size = whole[:-size], others
    yield whole


@lru_cache
def signs_of(locale: str) -> NumberSigns:
    """
    Return the signs of *locale*, a name that Babel knows.

    Babel is not asked to write the numbers: in its version 2.19 the apostrophes of
    1'234'567.50 count as quotation marks, and are left out.
    """
    found = Locale.parse(locale)
    signs = found.number_symbols[LATIN]
    percent = found.percent_formats[None]
    return NumberSigns(
        decimal=signs["decimal"],
        group=signs["group"],
        minus=signs["minusSign"],
        grouping=found.decimal_formats[None].grouping,
        percent=(
            ("", " %") if locale == ENGLISH else (percent.prefix[0], percent.suffix[0])
        ),
    )

"""Telephone numbers as they are searched for, in whatever way they are written."""

import re
import unicodedata
from collections.abc import Iterator

MARK = "tel"
"""What the words of telephone numbers begin with, so that no other number is one."""
MIN_DIGITS = 5
"""A shorter number is no word of its own: it would be a part of too many."""
MAX_DIGITS = 20
MAX_GROUPS = 8
MIN_WITHOUT_COUNTRY = 6

_trunk = re.compile(r"\(\s*0\s*\)")
_groups = re.compile("[0-9]+")
_runs = re.compile(r"(?<![^\W_])[+(]?[0-9][0-9\s()/.+-]*(?<![\s(/.+-])(?![^\W_])")


def phone_words(phone: str | None) -> list[str]:
    """
    Return the words by which a telephone number is found.

    They are its digits from the beginning of each group to the end, without the zeros
    before them: `+49 (0)30-123 456` is `tel4930123456`, `tel30123456`, `tel123456`.
    """
    if phone is None:
        return []
    written = plain_digits(phone)
    groups = _groups.findall(_trunk.sub(" ", written))[:MAX_GROUPS]
    ends = ["".join(groups[n:]) for n in range(len(groups))]
    if groups and is_international(written):
        ends += without_country(ends[0])
    return list(dict.fromkeys(marked(ends)))


def phone_runs(asked: str) -> Iterator[tuple[int, str, list[str]]]:
    """
    Yield where in *asked* a telephone number may be, the number, and its words.

    A run of digits and of the signs between them is one; the country's number may be
    missing where the number is kept.
    """
    written = plain_digits(asked)
    for run in _runs.finditer(written):
        # As many groups as are kept.
        groups = _groups.findall(_trunk.sub(" ", run[0]))[:MAX_GROUPS]
        digits = "".join(groups)
        numbers = [digits]
        if is_international(run[0]):
            numbers += without_country(digits)
        found = list(dict.fromkeys(marked(numbers)))
        if found:
            yield run.start(), run[0], found


def marked(numbers: list[str]) -> Iterator[str]:
    for number in numbers:
        bare = number.lstrip("0")[:MAX_DIGITS]
        if len(bare) >= MIN_DIGITS:
            yield MARK + bare


def is_international(written: str) -> bool:
    return written.lstrip().startswith(("+", "00", "(+"))


def without_country(digits: str) -> list[str]:
    """Return an international number without the country's: one to three digits."""
    bare = digits.lstrip("0")
    return [
        bare[size:]
        for size in (1, 2, 3)
        if len(bare[size:].lstrip("0")) >= MIN_WITHOUT_COUNTRY
    ]


def plain_digits(text: str) -> str:
    """Return *text* with the digits of every script as 0 to 9; its length stays."""
    if text.isascii():
        return text
    return "".join(
        c if c.isascii() or not c.isdecimal() else str(unicodedata.decimal(c))
        for c in text
    )

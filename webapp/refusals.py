"""Sentences of ours with their amounts as the shop's people write them."""

import re
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

from domain.money import format_amount, minor_digits
from webapp.notation import Notation

AMOUNT = re.compile(r"(?P<number>-?[0-9][0-9,]*(?:\.[0-9]+)?) (?P<currency>[A-Z]{3})\b")
"""An amount as the domain writes it, like 1,234.50 EUR."""


def say_refusal(error: Mapping[str, Any], notation: Notation) -> str:
    """
    Return the message of a rejection, as the journal keeps it, in words for a page.

    Its amounts are known by the figures that are kept beside it: what is none of them,
    as in a name that somebody typed, stays as it is.
    """
    figures = [f for f in error.get("figures", {}).values() if isinstance(f, int)]
    return say_amounts(error["message"], notation, figures)


def say_amounts(
    sentence: str, notation: Notation, figures: Collection[int] | None = None
) -> str:
    """Return *sentence* with its amounts as on pages: all, or those of *figures*."""

    def written(found: re.Match[str]) -> str:
        currency = found["currency"]
        number = Decimal(found["number"].replace(",", ""))
        amount = int(number.scaleb(minor_digits(currency)))
        if found[0] != format_amount(amount, currency):
            return found[0]
        if figures is not None and amount not in figures:
            return found[0]
        return notation.write_money(amount, currency)

    return AMOUNT.sub(written, sentence)

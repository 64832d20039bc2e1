"""Money: whole numbers of a currency's minor unit inside, what people write outside."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import cache

# ISO 4217; every currency that is not named here has two digits.
NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"


@cache
def minor_digits(currency: str) -> int:
    """Return how many digits *currency* has behind the point."""
    if currency in NO_DIGITS.split():
        return 0
    return 3 if currency in THREE_DIGITS.split() else 2


def rounded_total(
    lines: Iterable[tuple[int, int, Decimal]], discount: Decimal = Decimal(0)
) -> int:
    """
    Return the sum of unit price times quantity times (1 - discount), in minor units.

    A *discount* on all of it counts after those of the lines. It is exact, then rounded
    half up, and once: rounding each line would make an order of many discounted lines
    drift from what its customer computes.
    """
    with localcontext() as context:
        context.prec = 60
        exact = sum((exact_amount(line) for line in lines), Decimal(0))
        return round_half_up(exact * (1 - discount))


def line_amounts(
    lines: Iterable[tuple[int, int, Decimal]], discount: Decimal = Decimal(0)
) -> list[int]:
    """
    Return the amount of each line after its discount, in minor units.

    A *discount* on all of them is taken off, too. Their sum is `rounded_total` of the
    lines: what is shown below each other must add up. Where a line has a fraction of a
    minor unit, it gets what the lines so far come to more than those before it, so it
    is less than one unit off its exact worth.
    """
    amounts = []
    with localcontext() as context:
        context.prec = 60
        exact, before, left = Decimal(0), 0, 1 - discount
        for line in lines:
            exact += exact_amount(line) * left
            amounts.append(round_half_up(exact) - before)
            before = round_half_up(exact)
    return amounts


def exact_amount(line: tuple[int, int, Decimal]) -> Decimal:
    price, quantity, discount = line
    return Decimal(price) * quantity * (1 - discount)


def round_half_up(exact: Decimal) -> int:
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units, and of which currency."""

    amount: int
    currency: str

    def __str__(self) -> str:
        return format_amount(self.amount, self.currency)


def format_amount(amount: int, currency: str) -> str:
    """Return *amount* minor units as people write it: `1,265,793.22 USD`."""
    return f"{format_number(amount, currency)} {currency}"


def format_number(amount: int, currency: str) -> str:
    """Return *amount* minor units without the name of the currency: `1,265,793.22`."""
    digits = minor_digits(currency)
    return f"{Decimal(amount).scaleb(-digits):,.{digits}f}"


def parse_amount(text: str, currency: str) -> int:
    """
    Return the minor units that *text* (`12` or `12.50`) stands for.

    Raises ValueError for anything else: "1,000.00" is a thousand in one country and
    one in another, so it is asked for again and never guessed.
    """
    digits = minor_digits(currency)
    fraction = rf"(?:\.[0-9]{{1,{digits}}})?" if digits else ""
    if not re.fullmatch(rf"[0-9]{{1,15}}{fraction}", text.strip()):
        example = Decimal(1250).scaleb(-digits)
        raise ValueError(f"write it like {example:.{digits}f}")
    return int(Decimal(text.strip()).scaleb(digits))

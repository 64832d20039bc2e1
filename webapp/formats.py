"""Convert values between the notation of the shop's people and plain data."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain.days import start_of_day
from domain.fields import MAX_AMOUNT, MAX_QUANTITY, MAX_TOTAL
from domain.money import minor_digits
from webapp.notation import Notation
from webapp.typed_numbers import TwoReadings, read_number, simplify

LOCAL_TIME = re.compile(
    r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?"
)

PERCENT_SIGNS = "%\u066a\uff05 "
MINUS_SIGNS = ("-", "\u2212")


def read(name: str, text: str, notation: Notation) -> object:
    """
    Return the plain data of *text* in a field called *name*.

    Raises ValueError, whose message has an example.
    """
    return READERS[name](text, notation) if name in READERS else text


def write(name: str, value: object, notation: Notation) -> str:
    """Return *value* as it is typed into a field called *name*."""
    return WRITERS[name](value, notation) if name in WRITERS else str(value)


def is_amount(name: str) -> bool:
    """Return whether a field called *name* holds an amount of money."""
    return WRITERS.get(name) is write_amount


def read_amount(
    text: str, notation: Notation, *, lowest: int = 0, highest: int = MAX_AMOUNT
) -> int:
    """Return an amount of the shop's currency in its minor units."""
    currency = notation.currency
    digits = minor_digits(currency)
    try:
        amount = int(read_number(text, digits, notation.signs).scaleb(digits))
    except TwoReadings as error:
        raise ValueError(ask_which(error, digits, notation)) from error
    except ValueError as error:
        example = write_amount(1250, notation)
        raise ValueError(f"write it like {example}") from error
    if amount < lowest:
        raise ValueError(f"must be at least {notation.write_amount(lowest, currency)}")
    if amount > highest:
        raise ValueError(f"must be at most {notation.write_amount(highest, currency)}")
    return amount


def ask_which(readings: TwoReadings, digits: int, notation: Notation) -> str:
    """Return the question which of two numbers was meant, both written out."""
    whole = notation.signs.write(readings.whole, digits)
    decimal = notation.signs.write(readings.decimal, readings.digits)
    if digits:
        wish = f"write the one you mean, with {digits} digits at its end"
    else:
        wish = f"write a whole number, like {readings.whole}"
    return f"can mean {whole} or {decimal}; {wish}"


def read_price(text: str, notation: Notation) -> int:
    return read_amount(text, notation, lowest=1)


def read_total(text: str, notation: Notation) -> int:
    return read_amount(text, notation, lowest=1, highest=MAX_TOTAL)


def write_amount(amount: int, notation: Notation) -> str:
    """Return *amount* as it is typed: without groups."""
    digits = minor_digits(notation.currency)
    exact = Decimal(amount).scaleb(-digits)
    return notation.signs.write(exact, digits, is_grouped=False)


def read_whole(text: str, notation: Notation) -> int:
    """Return a whole number; which ones are allowed, the domain says."""
    sign = -1 if text.startswith(MINUS_SIGNS) else 1
    digits = text[1:] if sign < 0 else text
    try:
        return sign * int(read_number(digits, 0, notation.signs))
    except TwoReadings as error:
        raise ValueError(ask_which(error, 0, notation)) from error
    except ValueError as error:
        raise ValueError("write a whole number, like 3") from error


def read_quantity(text: str, notation: Notation) -> int:
    quantity = read_whole(text, notation)
    if not 1 <= quantity <= MAX_QUANTITY:
        highest = notation.write_number(MAX_QUANTITY)
        raise ValueError(f"must be from 1 to {highest}")
    return quantity


def read_flag(text: str, notation: Notation) -> bool:
    """Return True: a box that is not ticked is not sent."""
    return True


def write_flag(value: bool, notation: Notation) -> str:
    return "on" if value else ""


def read_discount(text: str, notation: Notation) -> str:
    """Return a percentage as a decimal fraction: `0.125` for `12.5`."""
    like = notation.write_percentage("0.125")
    wish = f"write a percentage from 0 to 100, like 5 or {like}"
    try:
        percent = read_number(simplify(text).strip(PERCENT_SIGNS), 2, notation.signs)
    except ValueError as error:
        raise ValueError(wish) from error
    if percent > 100:
        raise ValueError(wish)
    return format(percent / 100, "f")


def write_discount(part: str, notation: Notation) -> str:
    return notation.write_percentage(part) if Decimal(part) else ""


def read_moment(text: str, notation: Notation) -> str:
    """Return a local time of the shop as an instant with its offset."""
    if not LOCAL_TIME.fullmatch(text):
        raise ValueError("write a date and a time, like 2026-11-23 14:05")
    try:
        shown = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("there is no such day or time") from error
    moment = shown.replace(tzinfo=notation.timezone)
    # An hour is repeated when clocks go back: take the later one unless it is future.
    second = moment.replace(fold=1)
    if second.astimezone(UTC) <= datetime.now(UTC):
        moment = second
    # An hour is missing when clocks go forward.
    if moment.astimezone(UTC).astimezone(notation.timezone).replace(tzinfo=None) != (
        shown
    ):
        raise ValueError("the clocks were put forward then: there was no such time")
    return moment.isoformat()


def write_moment(moment: str, notation: Notation) -> str:
    """Return an instant in the form of HTML's `datetime-local`."""
    shown = datetime.fromisoformat(moment).astimezone(notation.timezone)
    return f"{shown:%Y-%m-%dT%H:%M}"


READERS: dict[str, Callable[[str, Notation], object]] = {
    "unit_price": read_price,
    "freight": read_amount,
    "amount": read_total,
    "quantity": read_quantity,
    "line": read_whole,
    "payment": read_whole,
    "parcel": read_whole,
    "terms": read_whole,
    "with_freight": read_flag,
    "own": read_flag,
    "discount": read_discount,
    "delivered_at": read_moment,
}
WRITERS: dict[str, Callable[[Any, Notation], str]] = {
    "unit_price": write_amount,
    "freight": write_amount,
    "amount": write_amount,
    "discount": write_discount,
    "delivered_at": write_moment,
    "with_freight": write_flag,
    "own": write_flag,
}


def moment_in(text: str, zone: ZoneInfo) -> datetime:
    """
    Return the moment of *text*, in UTC.

    A date means its end, and a time without an offset is in *zone*, the shop's. Raises
    ValueError for any other text, or a time beyond the calendar.
    """
    try:
        with suppress(ValueError):
            return end_of(date.fromisoformat(text), zone)
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the last microsecond of *day*."""
    # It is subtracted in UTC: clocks may change at midnight.
    return start_of_day(day + timedelta(days=1), zone) - timedelta(microseconds=1)

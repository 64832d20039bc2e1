"""Convert values between the notation of the shop's people and plain data."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from domain.fields import MAX_AMOUNT, MAX_TOTAL
from domain.money import format_number, minor_digits, parse_amount

LOCAL_TIME = re.compile(
    r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?"
)

GROUPED = re.compile(r"[1-9][0-9]{0,2}(,[0-9]{3})+(?P<fraction>\.[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """The currency and the time zone that the shop writes."""

    currency: str
    timezone: ZoneInfo


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
    currency = notation.currency
    amount = parse_amount(without_grouping(text.strip(), currency), currency)
    if amount < lowest:
        raise ValueError(f"must be at least {format_number(lowest, currency)}")
    if amount > highest:
        raise ValueError(f"must be at most {format_number(highest, currency)}")
    return amount


def without_grouping(text: str, currency: str) -> str:
    """Return `1234.50` for `1,234.50`, as pages show it; any other text unchanged."""
    grouped = GROUPED.fullmatch(text)
    # Pages always write a currency's fraction: without one, the comma may be decimal.
    if grouped and (grouped["fraction"] or not minor_digits(currency)):
        return text.replace(",", "")
    return text


def read_price(text: str, notation: Notation) -> int:
    return read_amount(text, notation, lowest=1)


def read_total(text: str, notation: Notation) -> int:
    return read_amount(text, notation, lowest=1, highest=MAX_TOTAL)


def write_amount(amount: int, notation: Notation) -> str:
    return format_number(amount, notation.currency).replace(",", "")


def read_quantity(text: str, notation: Notation) -> int:
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise ValueError("write a whole number, like 3")
    return int(text)


def read_flag(text: str, notation: Notation) -> bool:
    """Return True: a box that is not ticked is not sent."""
    return True


def write_flag(value: bool, notation: Notation) -> str:
    return "on" if value else ""


def read_discount(text: str, notation: Notation) -> str:
    """Return a percentage as a decimal fraction: `0.125` for `12.5`."""
    percent = text.removesuffix("%").strip()
    if (
        not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", percent)
        or Decimal(percent) > 100
    ):
        raise ValueError("write a percentage from 0 to 100, like 5 or 12.5")
    return format(Decimal(percent) / 100, "f")


def write_discount(part: str, notation: Notation) -> str:
    return percentage(part)


def percentage(part: str | Decimal) -> str:
    """Return the decimal fraction *part* as a percentage; "" for 0."""
    return format((Decimal(part) * 100).normalize(), "f") if Decimal(part) else ""


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
    "line": read_quantity,
    "payment": read_quantity,
    "parcel": read_quantity,
    "terms": read_quantity,
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
    next_day = datetime.combine(day + timedelta(days=1), time.min, zone)
    # Subtract in UTC: clocks may change at midnight.
    return next_day.astimezone(UTC) - timedelta(microseconds=1)

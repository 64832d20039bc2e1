"""Values of conditions: from the text in an address to the type of the field."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

MAX_TEXT = 500
"""Characters of a text that is asked for."""

DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
# The plus of an address is a blank, unless it was escaped.
TIME = re.compile(
    f"({DAY}T[0-9]{{2}}:[0-9]{{2}}(?::[0-9]{{2}}(?:\\.[0-9]{{1,6}})?)?)"
    "(?:(Z)|([-+ ])([0-9]{2}:[0-9]{2}))"
)
ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def read_value(kind: type, text: str) -> Any:
    """
    Return the value of *kind* that *text* has.

    A moment is returned in UTC. Raises ValueError, whose message says what is expected:
    it ends a sentence that begins with the name of the field.
    """
    read, form = READERS[kind]
    try:
        return read(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"must be {form}") from error


def read_text(text: str) -> str:
    is_unusable = "\0" in text or any("\ud800" <= c <= "\udfff" for c in text)
    if not 0 < len(text) <= MAX_TEXT or is_unusable:
        raise ValueError
    return text


def read_whole_number(text: str) -> int:
    return int(matched("-?[0-9]{1,18}", text))


def read_decimal(text: str) -> Decimal:
    # So few that two of them are never the same floating-point number in a store.
    return Decimal(matched(r"-?[0-9]{1,9}(\.[0-9]{1,6})?", text))


def read_day(text: str) -> date:
    return date.fromisoformat(matched(DAY, text))


def read_moment(text: str) -> datetime:
    found = TIME.fullmatch(text)
    if found is None:
        raise ValueError
    moment, is_utc, sign, offset = found.groups()
    zone = "+00:00" if is_utc else sign.replace(" ", "+") + offset
    return datetime.fromisoformat(moment + zone).astimezone(UTC)


def read_flag(text: str) -> bool:
    return {"true": True, "false": False}[matched("true|false", text)]


def read_id(text: str) -> UUID:
    if not ID.fullmatch(text):
        raise ValueError
    return UUID(text)


def matched(pattern: str, text: str) -> str:
    """Return *text* if all of it matches *pattern*. Raises ValueError."""
    if not re.fullmatch(pattern, text):
        raise ValueError
    return text


READERS: Mapping[type, tuple[Callable[[str], Any], str]] = {
    str: (read_text, f"a text of 1 to {MAX_TEXT} characters, without a NUL"),
    int: (read_whole_number, "a whole number of at most 18 digits, like 9900"),
    Decimal: (read_decimal, "a decimal number, like 0.05, of at most 9 and 6 digits"),
    date: (read_day, "a day, like 2026-11-30"),
    datetime: (read_moment, "a time with its zone, like 2026-11-30T08:00:00Z"),
    bool: (read_flag, "true or false"),
    UUID: (read_id, "a UUID"),
}
"""How a value of each kind is read, and what it must be."""

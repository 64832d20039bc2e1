"""Cursors: the end of a page, as text that a client sends for the next one."""

import base64
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from eventstore.errors import BadCursor

MAX_EXPONENT = 10_000
"""A numeric of PostgreSQL has room for a number with this exponent."""


def encode_cursor(order: str, place: Sequence[Any]) -> str:
    """
    Return the cursor of the page after *place*.

    *order* is the name of a list and its sort order; *place* has the values by which
    its last row is found in that order. They must be values that JSON can hold.
    """
    written = msgspec.json.encode([order, *place])
    return base64.urlsafe_b64encode(written).decode().rstrip("=")


def decode_cursor(cursor: str, order: str, types: Sequence[Any]) -> list[Any]:
    """
    Return the place in *cursor*: a value of each of *types*.

    Raises BadCursor if it is none of this *order*: it comes from a client, and may be
    any text. The returned values can be sent to PostgreSQL.
    """
    try:
        written = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", True)
        of_order, *place = msgspec.json.decode(written, type=list[Any])
        values = [
            msgspec.convert(value, type_)
            for value, type_ in zip(place, types, strict=True)
        ]
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise BadCursor from error
    if of_order != order or any(map(is_unusable, values)):
        raise BadCursor
    return values


def is_unusable(value: Any) -> bool:
    """Return whether PostgreSQL would refuse *value*, so that no row can have it."""
    if isinstance(value, str):
        return "\0" in value or any("\ud800" <= c <= "\udfff" for c in value)
    if isinstance(value, Decimal):
        return abs(value.adjusted()) > MAX_EXPONENT
    return isinstance(value, int) and not -(2**63) <= value < 2**63

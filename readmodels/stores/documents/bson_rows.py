"""
A row as a document of MongoDB, and back: the same row, and the same order of values.

What is null is left out, so that one word, `$exists`, tells whether there is a value.
Whole numbers have 64 bits. MongoDB's own times end at milliseconds: a time is a text in
UTC of one length, which sorts as the times do. A decimal fraction is kept twice, as a
number that is compared and as the text that is shown: FerretDB has no Decimal128.
"""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from bson.int64 import Int64

from readmodels.stores.documents.fields import without_none

FORM = 1
"""To be raised when rows are written in another form: each copy is then another."""
NUMBER = "number"
"""The name below a decimal fraction of what is compared."""


def to_bson(value: Any) -> Any:
    """
    Return *value*, a row or a part of one, as MongoDB keeps it.

    Raises ValueError for what it cannot keep, or would compare otherwise.
    """
    match value:
        case bool() | str() | None:
            return value
        case int():
            return to_int64(value)
        case Decimal():
            return {NUMBER: to_number(value), "text": str(value)}
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case tuple() | list():
            return [to_bson(part) for part in value]
        case Mapping():
            return {name: to_bson(part) for name, part in value.items()}
        case _ if dataclasses.is_dataclass(value):
            parts = (
                (f.name, getattr(value, f.name)) for f in dataclasses.fields(value)
            )
            return {name: to_bson(part) for name, part in parts if part is not None}
        case _:
            raise ValueError(f"a {type(value).__name__} cannot be kept")


def to_int64(value: int) -> Int64:
    if not -(2**63) <= value < 2**63:
        raise ValueError("a whole number has more than 64 bits")
    return Int64(value)


def to_number(value: Decimal) -> float:
    """Return the floating-point number of *value*, which no other may have."""
    number = float(value)
    if Decimal(repr(number)) != value:
        raise ValueError("a decimal fraction has more than 15 digits")
    return number


def from_bson(row: type, document: Mapping[str, Any]) -> Any:
    """Return the object of the class *row* that `to_bson` made *document* of."""
    return msgspec.convert(plain(row, document), row)


def plain(kind: Any, value: Any) -> Any:
    """Return a value of MongoDB as JSON would have one of the type *kind*."""
    kind = without_none(kind)[0]
    if value is None:
        return None
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = hints_of(kind)
        return {name: plain(hints[name], value.get(name)) for name in hints}
    if kind is Decimal:
        return value["text"]
    if get_origin(kind) is tuple:
        return [plain(get_args(kind)[0], part) for part in value]
    if isinstance(value, Mapping):
        return {name: plain(None, part) for name, part in value.items()}
    return int(value) if isinstance(value, Int64) else value


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)

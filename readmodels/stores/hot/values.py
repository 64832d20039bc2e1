"""A row as text: its change, its position, and the row as JSON; no JSON: deleted."""

from functools import cache
from typing import Any, NamedTuple

import msgspec

from eventstore.projections.changes import RowChange
from readmodels.stores.hot.scripts import DIGITS, padded

FORM = 1
"""To be raised when rows are written in another form: each copy is then another."""

_to_json = msgspec.json.Encoder().encode


class StoredValue(NamedTuple):
    """The number of the last change, the row's position, and its JSON, maybe empty."""

    change: int
    position: int
    json: bytes


def write_value(change: RowChange) -> bytes:
    """Return what is stored of a row."""
    json = b"" if change.row is None else _to_json(change.row)
    return f"{padded(change.change)}{padded(change.position)}".encode() + json


def read_value(value: bytes) -> StoredValue:
    """Return the parts of what `write_value` wrote. Raises ValueError for any other."""
    middle = 2 * DIGITS
    return StoredValue(int(value[:DIGITS]), int(value[DIGITS:middle]), value[middle:])


def read_row(json: bytes, row: type) -> Any:
    """Return a row of that class. Raises msgspec.MsgspecError if it is none."""
    return decoder_of(row).decode(json)


@cache
def decoder_of(row: type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row)

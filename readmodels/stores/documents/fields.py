"""The fields of a document that can be asked for, from the class of its rows."""

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from dataclasses import fields as fields_of_class
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

KINDS = (str, int, bool, Decimal, date, datetime, UUID)


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field with a value of its own, or one in each element of an array.

    *path* has the names down to it, `("address", "city")`; *kind* is one of `KINDS`. If
    the first name is that of an array, it *is_in_array*, and *path* goes on within an
    element. Of a field that *may_be_null* not every document has a value.
    """

    path: tuple[str, ...]
    kind: type
    is_in_array: bool
    may_be_null: bool

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def top(self) -> str:
        """The field of the row that has it: a column."""
        return self.path[0]

    @property
    def inner(self) -> tuple[str, ...]:
        """The names below the column, or below an element of its array."""
        return self.path[1:]


@cache
def fields_of(row: type) -> Mapping[str, Field]:
    """
    Return the fields of *row*, a dataclass, by their names: `lines.product`.

    A mapping with names of its own is left out, and so is an array within an array.
    """
    return {field.name: field for field in fields_below(row, (), False, False)}


def sortable_fields(row: type) -> list[str]:
    """Return the names of those by which documents can be sorted: all have a value."""
    return [
        name
        for name, field in fields_of(row).items()
        if not field.inner and not field.may_be_null
    ]


def fields_below(
    kind: Any, path: tuple[str, ...], is_in_array: bool, may_be_null: bool
) -> Iterator[Field]:
    """Yield the fields of the dataclass *kind*, which itself stands at *path*."""
    hints = typing.get_type_hints(kind)
    for one in fields_of_class(kind):
        hint, is_optional = without_none(hints[one.name])
        place, may_lack = (*path, one.name), may_be_null or is_optional
        if hint in KINDS:
            yield Field(place, hint, is_in_array, may_lack)
        elif is_dataclass(hint):
            yield from fields_below(hint, place, is_in_array, may_lack)
        elif typing.get_origin(hint) is tuple and not path:
            # Any number of elements: each field may have no value at all.
            yield from fields_below(typing.get_args(hint)[0], place, True, True)


def without_none(hint: Any) -> tuple[Any, bool]:
    """Return the type of `X | None` without None, and whether None was there."""
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    others = [one for one in typing.get_args(hint) if one is not types.NoneType]
    return (others[0] if len(others) == 1 else hint), True

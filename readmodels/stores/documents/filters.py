"""
Filters: conditions on the fields of a document, from the parameters of an address.

A name is a path and an operator, `lines.quantity.gte`; without an operator it asks for
equality. A path through an array means the values of all its elements. A condition
holds if one of them fulfils it; `ne` and `exists=false` hold if none fulfils the
opposite. Null is no value. `lines:a.product` and `lines:a.quantity.gte` are about one
element, the same for all conditions with this `a`: there `ne` means that this element
has another value, or none. All conditions must hold.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from readmodels.stores.documents.fields import Field
from readmodels.stores.documents.values import read_value

MAX_CONDITIONS = 20
MAX_VALUES = 100
"""Values that one `in` may have."""
MAX_NAME = 100
"""Characters of a condition's name."""

ORDERED = ("eq", "ne", "in", "gt", "gte", "lt", "lte", "exists")
OPERATORS: Mapping[type, Sequence[str]] = {
    str: ("eq", "ne", "in", "prefix", "contains", "exists"),
    int: ORDERED,
    Decimal: ORDERED,
    date: ORDERED,
    datetime: ORDERED,
    bool: ("eq", "ne", "exists"),
    UUID: ("eq", "ne", "in", "exists"),
}
"""The operators of each kind of field."""


class BadFilter(ValueError):
    """A condition cannot be understood; the message says what can be asked."""


@dataclass(frozen=True, slots=True)
class Condition:
    """
    What one field must fulfil: one of `OPERATORS`, with its *values*.

    `in` has as many as were given, the others have one; that of `exists` is a bool.
    """

    field: Field
    operator: str
    values: tuple[Any, ...]

    @property
    def value(self) -> Any:
        return self.values[0]

    @property
    def is_negative(self) -> bool:
        """Whether it is about all values, and so holds where there is none."""
        return self.operator == "ne" or (self.operator == "exists" and not self.value)

    @property
    def opposite(self) -> "Condition":
        """The condition that a negative one denies."""
        if self.operator == "ne":
            return Condition(self.field, "eq", self.values)
        return Condition(self.field, "exists", (True,))


@dataclass(frozen=True, slots=True)
class ElementConditions:
    """Conditions on one element of the array *top*: one that fulfils all of them."""

    top: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that all must hold, each alone, and those on the same element."""

    conditions: tuple[Condition, ...] = ()
    elements: tuple[ElementConditions, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedName:
    """The name of a condition; *group* is the letters after a colon, if any."""

    field: Field
    operator: str
    group: str | None


def read_filter(
    fields: Mapping[str, Field], asked: Iterable[tuple[str, str]]
) -> Filter:
    """
    Return the filter of the conditions *asked*, pairs of a name and a text.

    *fields* are those that may be asked for, by name. Raises BadFilter.
    """
    alone: list[Condition] = []
    grouped: dict[tuple[str, str], list[Condition]] = {}
    for count, (name, text) in enumerate(asked, 1):
        if count > MAX_CONDITIONS:
            raise BadFilter(f"There may be at most {MAX_CONDITIONS} conditions.")
        parsed = read_name(fields, name)
        condition = Condition(
            parsed.field, parsed.operator, tuple(read_values(parsed, name, text))
        )
        if parsed.group is None:
            alone.append(condition)
        else:
            place = (parsed.field.top, parsed.group)
            grouped.setdefault(place, []).append(condition)
    return Filter(
        tuple(alone),
        tuple(
            ElementConditions(top, tuple(some)) for (top, _), some in grouped.items()
        ),
    )


def read_name(fields: Mapping[str, Field], name: str) -> ParsedName:
    """Return what the *name* of a condition is about. Raises BadFilter."""
    shown = ascii(name[:MAX_NAME])
    first, colon, rest = name.partition(":")
    group, _, below = rest.partition(".")
    path = f"{first}.{below}" if colon else name
    if len(name) > MAX_NAME:
        raise BadFilter(f"The name {shown} is longer than {MAX_NAME} characters.")
    field, operator = fields.get(path), "eq"
    if field is None:
        before, _, operator = path.rpartition(".")
        field = fields.get(before)
    if field is None:
        raise BadFilter(f"There is no field {shown}{near(path, fields)}")
    if operator not in OPERATORS[field.kind]:
        raise BadFilter(
            f"{field.name} has no operator {operator!a}; it has"
            f" {', '.join(OPERATORS[field.kind])}."
        )
    if not colon:
        return ParsedName(field, operator, None)
    if not field.is_in_array or not re.fullmatch("[a-z0-9]{1,10}", group):
        raise BadFilter(
            f"The name {shown} cannot be understood: a colon with small letters or"
            " digits stands behind the name of an array alone, as in lines:a.product."
        )
    return ParsedName(field, operator, group)


def near(path: str, fields: Mapping[str, Field]) -> str:
    """Return what ends the sentence that there is no field *path*."""
    close = difflib.get_close_matches(path, fields, n=1)
    return f"; did you mean {close[0]}?" if close else f": ask {', '.join(fields)}."


def read_values(parsed: ParsedName, name: str, text: str) -> Iterator[Any]:
    """Yield the values in *text*. Raises BadFilter."""
    kind = bool if parsed.operator == "exists" else parsed.field.kind
    texts = split_list(text) if parsed.operator == "in" else [text]
    if len(texts) > MAX_VALUES:
        raise BadFilter(f"{name} has more than {MAX_VALUES} values.")
    for one in texts:
        try:
            yield read_value(kind, one)
        except ValueError as error:
            raise BadFilter(f"{name} {error}.") from error


def split_list(text: str) -> list[str]:
    r"""Return the texts between commas; `\,` and `\\` are a comma and a backslash."""
    parts = [""]
    for piece in re.findall(r"\\[\\,]|.", text, re.DOTALL):
        if piece == ",":
            parts.append("")
        else:
            parts[-1] += piece[-1]
    return parts

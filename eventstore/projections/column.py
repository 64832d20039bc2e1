"""A column of a read model: from a field's type to SQL, and its values both ways."""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from psycopg import sql

SCALARS: Mapping[object, str] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    Decimal: "numeric",
    date: "date",
    datetime: "timestamptz",
}

KINDS: Mapping[str, Any] = {name: kind for kind, name in SCALARS.items()}

_to_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; *decode* reads its JSON where it is one of those, else it is None."""

    name: str
    kind: str
    may_be_null: bool
    decode: Callable[[str], object] | None = None

    def read(self, value: Any) -> object:
        """Return the field's value that a loaded *value* stands for."""
        return value if self.decode is None or value is None else self.decode(value)

    def written(self, value: object) -> object:
        """Return what a statement is given for the field's *value*."""
        return value if self.decode is None or value is None else encode(value)

    def takes(self, value: object) -> bool:
        """Return whether *value* is one that a row of this column may have."""
        if value is None:
            return self.may_be_null
        kind = KINDS.get(self.kind)
        # A bool is an int, and a datetime a date, in Python and not in SQL.
        is_other = isinstance(value, bool | datetime) and type(value) is not kind
        return kind is None or (isinstance(value, kind) and not is_other)

    def typed(self) -> sql.Composable:
        return sql.SQL("{} {}").format(self.identifier, sql.SQL(self.kind))

    def defined(self) -> sql.Composable:
        null = "" if self.may_be_null else " NOT NULL"
        return sql.SQL("{}{}").format(self.typed(), sql.SQL(null))

    def selected(self, of: str | None = None) -> sql.Composable:
        """Return what selects the column, of the table with the alias *of*."""
        # As text: msgspec reads it into the field's class, which json.loads cannot.
        form = "{}" if self.decode is None else "{}::text"
        parts = (self.name,) if of is None else (of, self.name)
        return sql.SQL(form).format(sql.Identifier(*parts))

    def equals(self) -> sql.Composable:
        """Return `column = %s`, with the placeholder of the column's type."""
        cast = self.kind if self.decode is None else "text::jsonb"
        return sql.SQL("{} = %s::" + cast).format(self.identifier)

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.name)


def encode(value: object) -> str:
    return _to_json(value).decode()


def column_of(row: type, name: str) -> Column:
    """Return the column of a field: `X | None` may be NULL, the others may not."""
    hint = typing.get_type_hints(row)[name]
    may_be_null = False
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        may_be_null = True
        kinds = [a for a in typing.get_args(hint) if a is not types.NoneType]
        if len(kinds) > 1:
            raise TypeError(f"{row.__name__}.{name} has to be of one type")
        (hint,) = kinds
    if hint in SCALARS:
        return Column(name=name, kind=SCALARS[hint], may_be_null=may_be_null)
    return Column(
        name=name,
        kind="jsonb",
        may_be_null=may_be_null,
        decode=msgspec.json.Decoder(hint).decode,
    )

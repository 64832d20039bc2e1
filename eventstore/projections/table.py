"""The table of a read model: made from the class of its rows, used in sets."""

import types
import typing
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql

from eventstore.projections.projection import Update

SCHEMA = "readmodels"

COLUMN_TYPES: Mapping[type, str] = {
    str: "text",
    int: "bigint",
    bool: "boolean",
    Decimal: "numeric",
    date: "date",
    datetime: "timestamptz",
}


class Table:
    """A table whose columns are the fields of *row*, a dataclass."""

    def __init__(
        self, name: str, row: type, key: str, indexes: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.indexes = indexes
        self.columns = {
            field.name: column_type(row, field.name) for field in fields(row)
        }
        self.place = list(self.columns).index(key)
        listed = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        table = sql.Identifier(SCHEMA, name)
        primary = sql.Identifier(key)
        self._select = sql.SQL("SELECT {} FROM {} WHERE {} = ANY (%s)").format(
            listed, table, primary
        )
        self._upsert = sql.SQL(
            "INSERT INTO {} ({}) SELECT * FROM unnest({}) ON CONFLICT ({}) DO {}"
        ).format(
            table,
            listed,
            sql.SQL(", ").join(
                sql.SQL("%s::{}[]").format(sql.SQL(kind.split()[0]))
                for kind in self.columns.values()
            ),
            primary,
            self._update(),
        )
        self._delete = sql.SQL("DELETE FROM {} WHERE {} = ANY (%s)").format(
            table, primary
        )

    def _update(self) -> sql.Composable:
        others = [name for name in self.columns if name != self.key]
        if not others:
            return sql.SQL("NOTHING")
        return sql.SQL("UPDATE SET {}").format(
            sql.SQL(", ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))
                for name in others
            )
        )

    def create(self, connection: psycopg.Connection[Any]) -> None:
        """Make the table where it is missing."""
        connection.execute(
            sql.SQL("CREATE TABLE IF NOT EXISTS {} ({}, PRIMARY KEY ({}))").format(
                sql.Identifier(SCHEMA, self.name),
                sql.SQL(", ").join(
                    sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
                    for name, kind in self.columns.items()
                ),
                sql.Identifier(self.key),
            )
        )

        for column in self.indexes:
            connection.execute(
                sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({})").format(
                    sql.Identifier(f"{self.name}_{column}_idx"),
                    sql.Identifier(SCHEMA, self.name),
                    sql.Identifier(column),
                )
            )

    def update(self, connection: psycopg.Connection[Any], update: Update) -> None:
        """Change all rows that *update* is about, with one statement."""
        connection.execute(
            sql.SQL("UPDATE {} SET {} WHERE {}").format(
                sql.Identifier(SCHEMA, self.name),
                sql.SQL(", ").join(map(self.given, update.to)),
                # Not IS NOT DISTINCT FROM, which uses no index.
                sql.SQL(" AND ").join(
                    self.given(name)
                    if value is not None
                    else sql.SQL("{} IS NULL").format(sql.Identifier(name))
                    for name, value in update.where.items()
                ),
            ),
            [
                *update.to.values(),
                *(value for value in update.where.values() if value is not None),
            ],
        )

    def given(self, column: str) -> sql.Composed:
        """Return `column = %s`, with the placeholder of the column's type."""
        kind = sql.SQL(self.columns[column].split()[0])
        return sql.SQL("{} = %s::{}").format(sql.Identifier(column), kind)

    def send_load(
        self, connection: psycopg.Connection[Any], keys: Collection[Any]
    ) -> psycopg.Cursor[Any]:
        """Ask for the rows with these keys: in a pipeline, without waiting for them."""
        return connection.execute(self._select, (list(keys),))

    def loaded(self, cursor: psycopg.Cursor[Any]) -> dict[Any, Any]:
        """Return the rows that were asked for, by key."""
        return {
            row[self.place]: self.row(**dict(zip(self.columns, row, strict=True)))
            for row in cursor
        }

    def store(
        self, connection: psycopg.Connection[Any], rows: Mapping[Any, Any | None]
    ) -> None:
        """Write these rows with one statement; a key without a row loses its row."""
        present = [row for row in rows.values() if row is not None]
        if present:
            connection.execute(
                self._upsert,
                [[getattr(row, name) for row in present] for name in self.columns],
            )
        gone = [key for key, row in rows.items() if row is None]
        if gone:
            connection.execute(self._delete, (gone,))


def column_type(row: type, name: str) -> str:
    """Return the SQL type of a field: `X | None` may be NULL, the others may not."""
    hint = typing.get_type_hints(row)[name]
    if isinstance(hint, types.UnionType):
        (kind,) = (a for a in typing.get_args(hint) if a is not types.NoneType)
        return COLUMN_TYPES[kind]
    return f"{COLUMN_TYPES[hint]} NOT NULL"

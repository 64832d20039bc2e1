"""The table of a read model: made from the class of its rows, used in sets."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from eventstore.projections.column import Column, column_of, encode
from eventstore.projections.projection import Index, Key, Row, Update
from eventstore.steps import Statement

SCHEMA = "readmodels"


class Table:
    """
    A table whose columns are the fields of *row*, a dataclass.

    *only* is a condition of the rows that updates change, None: all of them.
    """

    def __init__(
        self,
        name: str,
        row: type,
        key: str,
        indexes: Sequence[Index] = (),
        only: sql.Composable | None = None,
    ) -> None:
        self.name = name
        self.row = row
        self.key = key
        self.indexes = indexes
        self.only = only
        self.columns: dict[str, Column] = {
            field.name: column_of(row, field.name) for field in fields(row)
        }
        self.place = list(self.columns).index(key)
        self.identifier = sql.Identifier(SCHEMA, name)
        names = sql.SQL(", ").join(map(sql.Identifier, self.columns))
        columns = self.columns.values()
        # Put together once, as bytes: psycopg would do it again at each call.
        self._select = self._text(
            "SELECT {selected} FROM {table} WHERE {key} = ANY (%s)",
            selected=sql.SQL(", ").join(c.selected() for c in columns),
        )
        # One document, which msgspec writes from the rows themselves: an array for each
        # column took psycopg three times as long to write as all the rest.
        self._upsert = self._text(
            """
            INSERT INTO {table} ({names}) SELECT {names}
            FROM json_to_recordset(%s::text::json) AS given ({kinds})
            ON CONFLICT ({key}) DO {update}
            """,
            names=names,
            kinds=sql.SQL(", ").join(c.typed() for c in columns),
            update=self.update_clause(),
        )
        self._delete = self._text("DELETE FROM {table} WHERE {key} = ANY (%s)")

    def _text(self, statement: LiteralString, **parts: sql.Composable) -> bytes:
        key = sql.Identifier(self.key)
        composed = sql.SQL(statement).format(table=self.identifier, key=key, **parts)
        return composed.as_bytes()

    def update_clause(self) -> sql.Composable:
        """Return what an insert does with a row that is there: replace its values."""
        others = [name for name in self.columns if name != self.key]
        if not others:
            return sql.SQL("NOTHING")
        return sql.SQL("UPDATE SET {}").format(
            sql.SQL(", ").join(
                sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name))
                for name in others
            )
        )

    def create(self, connection: psycopg.Connection, *, is_logged: bool = True) -> None:
        """
        Make the table, with no index but its primary key.

        What is not logged is written faster, and empty after a crash.
        """
        connection.execute(
            sql.SQL("CREATE {} {} ({}, PRIMARY KEY ({}))").format(
                sql.SQL("TABLE" if is_logged else "UNLOGGED TABLE"),
                self.identifier,
                sql.SQL(", ").join(c.defined() for c in self.columns.values()),
                sql.Identifier(self.key),
            )
        )

    def create_indexes(
        self, connection: psycopg.Connection, *, are_early: bool | None = None
    ) -> None:
        """
        Make the other indexes, or those that the filling needs, or those it does not.

        A table that is filled without them fills faster.
        """
        for index in self.indexes:
            if are_early in (None, index.is_early):
                self.create_index(connection, index)

    def create_index(self, connection: psycopg.Connection, index: Index) -> None:
        where = "" if index.where is None else f" WHERE {index.where}"
        connection.execute(
            sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} USING {} ({}){}").format(
                sql.Identifier(f"{self.name}_{index.name}_idx"),
                self.identifier,
                sql.Identifier(index.using),
                sql.SQL(index.on),
                sql.SQL(where),
            )
        )

    def update(self, update: Update) -> Statement:
        """Return the statement that changes all rows that *update* is about."""
        wanted = {n: v for n, v in update.where.items() if v is not None}
        nulls = tuple(n for n in update.where if n not in wanted)
        return Statement(
            self._update_text(tuple(update.to), tuple(wanted), nulls),
            [
                self.columns[name].written(value)
                for name, value in [*update.to.items(), *wanted.items()]
            ],
        )

    @cache  # noqa: B019 - a table lives as long as the process
    def _update_text(
        self, to: Sequence[str], wanted: Sequence[str], nulls: Sequence[str]
    ) -> bytes:
        # Not IS NOT DISTINCT FROM, which uses no index.
        conditions = [self.columns[name].equals() for name in wanted]
        conditions += [sql.SQL("{} IS NULL").format(sql.Identifier(n)) for n in nulls]
        conditions += [] if self.only is None else [self.only]
        return self._text(
            "UPDATE {table} SET {to} WHERE {conditions}",
            to=sql.SQL(", ").join(self.columns[name].equals() for name in to),
            conditions=sql.SQL(" AND ").join(conditions),
        )

    def check_update(self, update: Update) -> None:
        """
        Raise TypeError for an update that changes rows in memory otherwise than in SQL.

        Texts and integers are equal here and there; of other types not all are. SQL
        converts a value to the type of its column, and memory does not.
        """
        for name in update.where:
            if self.columns[name].kind not in ("text", "bigint"):
                raise TypeError(
                    f"an update finds rows by texts and integers, not by {name}, which"
                    f" is {self.columns[name].kind}"
                )
        for name, value in [*update.where.items(), *update.to.items()]:
            if not self.columns[name].takes(value):
                kind = type(value).__name__
                raise TypeError(f"an update has a {kind} for the column {name}")
        if self.key in update.to:
            raise TypeError(f"an update changes no row's key, {self.key}")

    def keys_from(self, texts: Iterable[str], column: str | None = None) -> list[Key]:
        """Return *texts* as values of *column*, or of the key, where they can be."""
        if self.columns[column or self.key].kind != "bigint":
            return list(texts)
        return [int(text) for text in texts if re.fullmatch("[0-9]{1,18}", text)]

    def load_where(self, column: str, values: Collection[Key]) -> Statement:
        """Return the statement that reads the rows with one of *values* there."""
        text = self._text(
            "SELECT {selected} FROM {table} WHERE {column} = ANY (%s::{kind}[])",
            selected=sql.SQL(", ").join(c.selected() for c in self.columns.values()),
            column=sql.Identifier(column),
            kind=sql.SQL(self.columns[column].kind),
        )
        known = self.keys_from(map(str, values), column)
        return Statement(text, (known,))

    def load(self, keys: Collection[Key]) -> Statement:
        """Return the statement that reads the rows with these keys."""
        return Statement(self._select, (list(keys),))

    def loaded(self, cursor: psycopg.Cursor) -> dict[Key, Row]:
        """Return the rows that `load` has read, by key."""
        return {row[self.place]: self.read(row) for row in cursor}

    def read(self, values: Sequence[Any]) -> Row:
        """Return the row whose columns were selected, in their order."""
        columns = self.columns.values()
        return self.row(
            **{
                column.name: column.read(value)
                for column, value in zip(columns, values, strict=True)
            }
        )

    def store(self, rows: Mapping[Key, Row | None]) -> list[Statement]:
        """Return the statements that write these rows; a key without one loses it."""
        statements = []
        present = [row for row in rows.values() if row is not None]
        if present:
            statements.append(Statement(self._upsert, (encode(present),)))
        gone = [key for key, row in rows.items() if row is None]
        if gone:
            statements.append(Statement(self._delete, (gone,)))
        return statements

"""The tables of a copy, and the statements that write and read them."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import LiteralString

from psycopg import sql

from eventstore.projections.column import encode
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA, Table

STORE = "recount_store"
"""The schema of what the store knows of its copies."""

SETUP = f"""
    CREATE SCHEMA IF NOT EXISTS {STORE};
    CREATE SCHEMA IF NOT EXISTS {SCHEMA};
    CREATE TABLE IF NOT EXISTS {STORE}.shop (
        only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
        identity text NOT NULL
    );
    CREATE TABLE IF NOT EXISTS {STORE}.shelves (
        read_model text PRIMARY KEY,
        term bigint NOT NULL,
        shelf text NOT NULL,
        serving text
    );
    CREATE TABLE IF NOT EXISTS {STORE}.copies (
        name text PRIMARY KEY,
        read_model text NOT NULL,
        shape text NOT NULL,
        checkpoint text NOT NULL,
        position bigint NOT NULL,
        certified_at double precision,
        parked bigint NOT NULL
    );
"""
"""What the store makes for itself; the columns behind the texts are for queries."""


class CopyTables:
    """
    The two tables of a copy: its rows, and the number of each row's last change.

    *name* is that of the copy. A row that was deleted is in the second one alone.
    """

    def __init__(self, projection: Projection, name: str) -> None:
        # Indexes are called after the table, and names have 63 bytes.
        digest = hashlib.sha256(name.encode()).hexdigest()[:12]
        self.table = Table(
            f"{projection.name}_{digest}",
            projection.row,
            projection.key,
            projection.indexes,
        )
        self.changes = sql.Identifier(SCHEMA, f"{self.table.name}_changes")
        self.key_kind = sql.SQL(self.table.columns[projection.key].kind)
        self.needs_trigrams = any("trgm" in index.on for index in projection.indexes)
        names = sql.SQL(", ").join(map(sql.Identifier, self.table.columns))
        columns = self.table.columns.values()
        self.make_changes = self.text(
            """
            CREATE TABLE {changes} (
                key {kind} PRIMARY KEY, change bigint NOT NULL, gone boolean NOT NULL
            )
            """
        )
        self.drop = self.text("DROP TABLE IF EXISTS {rows}, {changes} CASCADE")
        self.analyze = self.text("ANALYZE {rows}")
        # One statement: a row and its number are never apart. The number decides, under
        # the lock of its own row, so that of two writers the older one is refused.
        self.write = self.text(
            """
            WITH taken AS (
                INSERT INTO {changes} AS c (key, change, gone)
                SELECT g.key, g.change, g.gone
                FROM unnest(%s::{kind}[], %s::bigint[], %s::boolean[])
                    AS g (key, change, gone)
                ORDER BY g.key
                ON CONFLICT (key) DO UPDATE
                SET change = EXCLUDED.change, gone = EXCLUDED.gone
                WHERE c.change <= EXCLUDED.change
                RETURNING c.key, c.gone
            ),
            dropped AS (
                DELETE FROM {rows} AS r USING taken AS t
                WHERE r.{key} = t.key AND t.gone
            )
            INSERT INTO {rows} ({names})
            SELECT {given_names}
            FROM json_to_recordset(%s::text::json) AS given ({kinds})
            JOIN taken AS t ON t.key = given.{key} AND NOT t.gone
            ON CONFLICT ({key}) DO {update}
            """,
            names=names,
            given_names=sql.SQL(", ").join(
                sql.Identifier("given", name) for name in self.table.columns
            ),
            kinds=sql.SQL(", ").join(c.typed() for c in columns),
            update=self.table.update_clause(),
        )
        self.read = self.text(
            """
            SELECT c.key, c.change, c.gone, {selected}
            FROM {changes} AS c LEFT JOIN {rows} AS r ON r.{key} = c.key
            WHERE c.key = ANY (%s)
            """,
            selected=sql.SQL(", ").join(c.selected("r") for c in columns),
        )
        self.count = self.text("SELECT count(*) FROM {changes}")
        self.first_keys = self.text("SELECT key FROM {changes} ORDER BY key LIMIT %s")
        self.next_keys = self.text(
            "SELECT key FROM {changes} WHERE key > %s ORDER BY key LIMIT %s"
        )
        view = sql.Identifier(SCHEMA, projection.name)
        self.drop_view = drop_view(projection.name)
        # Not CREATE OR REPLACE, which keeps the columns that are there.
        self.make_view = self.text(
            "CREATE VIEW {view} AS SELECT {names} FROM {rows}", view=view, names=names
        )

    def text(self, statement: LiteralString, **parts: sql.Composable) -> bytes:
        return (
            sql.SQL(statement)
            .format(
                rows=self.table.identifier,
                changes=self.changes,
                key=sql.Identifier(self.table.key),
                kind=self.key_kind,
                **parts,
            )
            .as_bytes()
        )

    def written(self, rows: Sequence[object]) -> str:
        """Return *rows* as the statement that writes takes them."""
        return encode(rows)


def drop_view(read_model: str) -> bytes:
    view = sql.Identifier(SCHEMA, read_model)
    return sql.SQL("DROP VIEW IF EXISTS {}").format(view).as_bytes()


@cache
def tables_of(projection: Projection, name: str) -> CopyTables:
    """Return the tables of the copy called *name*; put together once."""
    return CopyTables(projection, name)

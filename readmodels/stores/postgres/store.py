"""
Copies of read models in a second PostgreSQL.

A copy is two tables: its rows, and the number of each row's last change. The view of
the read model's name, in the schema `readmodels`, shows the copy that serves: so the
queries of the read models run there as they run on the shop's own database. It moves in
the transaction that stores the shelf. The checkpoint lies in the same database, so that
one that was restored goes on from where its rows are.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from eventstore.errors.stores import CopyMoved, OutdatedWriter
from eventstore.projections import generations
from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Key, Projection
from eventstore.projections.table import SCHEMA
from eventstore.stores.row_store import Checkpoint, Copy, Refusal, Shelf, StoredRow
from readmodels import ALL
from readmodels.stores.postgres.connection import GONE, OF_THE_ROW, StoreConnection
from readmodels.stores.postgres.statements import (
    STORE,
    CopyTables,
    drop_view,
    tables_of,
)

NAME = "postgres"
FORM = 1
"""Goes up when tables are made otherwise: then all copies are made again."""

_to_json = msgspec.json.Encoder().encode
_shelf = msgspec.json.Decoder(Shelf)
_checkpoint = msgspec.json.Decoder(Checkpoint)


class PostgresStore:
    """
    A second PostgreSQL, as `RowStore` describes a store.

    *url* names an empty database whose owner the login is, *shop* is the identity of
    the shop: a database that has another one's rows is refused.
    """

    name = NAME
    may_lack_rows = False

    def __init__(
        self, url: str, shop: str, projections: Sequence[Projection] = ALL
    ) -> None:
        self.connection = StoreConnection(self.name, url, shop)
        self.projections = projections
        self.of_name = {projection.name: projection for projection in projections}

    def shape_of(self, projection: Projection) -> str:
        return shape_of(projection)

    def load_shelf(self, read_model: str) -> Shelf | None:
        with self.connection.transaction() as session:
            row = session.execute(
                f"SELECT shelf FROM {STORE}.shelves WHERE read_model = %s",
                (read_model,),
            ).fetchone()
        return None if row is None else _shelf.decode(row[0])

    def save_shelf(self, read_model: str, shelf: Shelf, term: int) -> None:
        serving = shelf.serving
        name = None if serving is None else serving.name()
        with self.connection.transaction() as session:
            row = session.execute(
                f"""
                INSERT INTO {STORE}.shelves AS s (read_model, term, shelf)
                VALUES (%s, %s, %s)
                ON CONFLICT (read_model)
                DO UPDATE SET term = EXCLUDED.term, shelf = EXCLUDED.shelf
                WHERE s.term <= EXCLUDED.term
                RETURNING s.serving
                """,
                (read_model, term, _to_json(shelf).decode()),
            ).fetchone()
            if row is None:
                raise OutdatedWriter(self.name, read_model)
            if row[0] != name or not has_view(session, read_model):
                self.show(session, read_model, serving)
                session.execute(
                    f"UPDATE {STORE}.shelves SET serving = %s WHERE read_model = %s",
                    (name, read_model),
                )

    def show(
        self, session: psycopg.Connection[Any], read_model: str, copy: Copy | None
    ) -> None:
        """Have the read model's view show a copy; there is none without one."""
        tables = None
        if copy is not None and self.is_there(session, copy):
            tables = self.tables(copy)
            # Before the view goes: from there on all who read it wait.
            session.execute(tables.analyze)
        session.execute(drop_view(read_model))
        if tables is not None:
            session.execute(tables.make_view)

    def make(self, copy: Copy) -> None:
        tables = self.tables(copy)
        with self.connection.transaction() as session:
            self.remove(session, copy.read_model, copy.name())
            if tables.needs_trigrams:
                session.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            tables.table.create(session)
            tables.table.create_indexes(session)
            session.execute(tables.make_changes)
            session.execute(
                f"""
                INSERT INTO {STORE}.copies
                    (name, read_model, shape, checkpoint, position, parked)
                VALUES (%s, %s, %s, %s, 0, 0)
                """,
                (copy.name(), copy.read_model, copy.shape, written(Checkpoint())),
            )

    def drop(self, copy: Copy) -> None:
        self.drop_named(copy.read_model, copy.name())

    def drop_named(self, read_model: str, name: str) -> None:
        with self.connection.transaction() as session:
            self.remove(session, read_model, name)

    def remove(
        self, session: psycopg.Connection[Any], read_model: str, name: str
    ) -> None:
        session.execute(f"DELETE FROM {STORE}.copies WHERE name = %s", (name,))
        session.execute(tables_of(self.of_name[read_model], name).drop)

    def find_copies(self, read_model: str) -> Sequence[str]:
        with self.connection.transaction() as session:
            rows = session.execute(
                f"SELECT name FROM {STORE}.copies WHERE read_model = %s ORDER BY 1",
                (read_model,),
            ).fetchall()
        return [name for (name,) in rows]

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        """Put rows in as `RowStore` says; one that PostgreSQL refuses is left empty."""
        # Of a row that comes twice, the later one.
        last = {change.key: change for change in sorted(changes, key=number_of)}
        return list(self.write_some(copy, list(last.values())))

    def write_some(self, copy: Copy, changes: Sequence[RowChange]) -> Iterator[Refusal]:
        """Write rows; yield those that PostgreSQL does not take."""
        try:
            self.send(copy, changes)
        except OF_THE_ROW as error:
            if len(changes) > 1:
                # One spoils the statement for all: each half by itself.
                half = len(changes) // 2
                yield from self.write_some(copy, changes[:half])
                yield from self.write_some(copy, changes[half:])
                return
            change = changes[0]
            self.send(copy, [change._replace(row=None)])
            # Its message may have the values.
            yield Refusal(change.key, change.change, type(error).__name__)

    def send(self, copy: Copy, changes: Sequence[RowChange]) -> None:
        """Write rows in one statement. Raises CopyMoved if the copy is not there."""
        tables = self.tables(copy)
        rows = [change.row for change in changes if change.row is not None]
        with self.of_copy(copy) as session:
            # One at a time: a row that another writer has not committed yet is not seen
            # by the statement that deletes it.
            found = session.execute(
                f"SELECT FROM {STORE}.copies WHERE name = %s FOR UPDATE",
                (copy.name(),),
            )
            if not found.rowcount:
                raise CopyMoved(self.name, copy.name())
            session.execute(
                tables.write,
                (
                    [change.key for change in changes],
                    [change.change for change in changes],
                    [change.row is None for change in changes],
                    tables.written(rows),
                ),
            )

    def load_checkpoint(self, copy: Copy) -> Checkpoint | None:
        with self.connection.transaction() as session:
            if not self.is_there(session, copy):
                return None
            row = session.execute(
                f"SELECT checkpoint FROM {STORE}.copies WHERE name = %s",
                (copy.name(),),
            ).fetchone()
        return None if row is None else _checkpoint.decode(row[0])

    def save_checkpoint(
        self, copy: Copy, checkpoint: Checkpoint, known: Checkpoint
    ) -> None:
        with self.of_copy(copy) as session:
            row = session.execute(
                f"SELECT checkpoint FROM {STORE}.copies WHERE name = %s FOR UPDATE",
                (copy.name(),),
            ).fetchone()
            # Not as texts: other code may have written another text.
            if row is None or _checkpoint.decode(row[0]) != known:
                raise CopyMoved(self.name, copy.name())
            session.execute(
                f"""
                UPDATE {STORE}.copies
                SET checkpoint = %s, position = %s, certified_at = %s, parked = %s
                WHERE name = %s
                """,
                (
                    written(checkpoint),
                    checkpoint.position,
                    checkpoint.certified_at,
                    checkpoint.parked,
                    copy.name(),
                ),
            )

    def read(self, copy: Copy, keys: Sequence[Key]) -> Mapping[Key, StoredRow]:
        tables = self.tables(copy)
        with self.of_copy(copy) as session:
            rows = session.execute(tables.read, (list(keys),)).fetchall()
        # A row that is there although it is gone is shown, so that somebody notices.
        place = tables.table.place
        return {
            key: StoredRow(
                change,
                None
                if is_gone and values[place] is None
                else tables.table.read(values),
            )
            for key, change, is_gone, *values in rows
        }

    def count(self, copy: Copy) -> int:
        with self.of_copy(copy) as session:
            row = session.execute(self.tables(copy).count).fetchone()
        assert row is not None
        return int(row[0])

    def keys_behind(self, copy: Copy, key: Key | None, limit: int) -> Sequence[Key]:
        tables = self.tables(copy)
        with self.of_copy(copy) as session:
            if key is None:
                rows = session.execute(tables.first_keys, (limit,)).fetchall()
            else:
                rows = session.execute(tables.next_keys, (key, limit)).fetchall()
        return [found for (found,) in rows]

    def close(self) -> None:
        self.connection.close()

    def tables(self, copy: Copy) -> CopyTables:
        return tables_of(self.of_name[copy.read_model], copy.name())

    @contextmanager
    def of_copy(self, copy: Copy) -> Iterator[psycopg.Connection[Any]]:
        """Lend the session for a copy's tables; raises CopyMoved if there are none."""
        try:
            with self.connection.transaction() as session:
                yield session
        except GONE as error:
            raise CopyMoved(self.name, copy.name()) from error

    def is_there(self, session: psycopg.Connection[Any], copy: Copy) -> bool:
        """Return whether both tables of a copy are there."""
        tables = self.tables(copy)
        row = session.execute(
            "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL",
            (tables.table.identifier.as_string(), tables.changes.as_string()),
        ).fetchone()
        return row == (True,)


def shape_of(projection: Projection) -> str:
    """Return a hash of the form in which this store keeps the rows of *projection*."""
    return f"{FORM}-{generations.shape_of(projection)}"


def has_view(session: psycopg.Connection[Any], read_model: str) -> bool:
    row = session.execute(
        "SELECT to_regclass(%s)", (sql.Identifier(SCHEMA, read_model).as_string(),)
    ).fetchone()
    return row != (None,)


def number_of(change: RowChange) -> int:
    return change.change


def written(checkpoint: Checkpoint) -> str:
    return _to_json(checkpoint).decode()

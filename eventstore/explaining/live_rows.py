"""The live rows of a read model at one moment: where they lie, and how far they are."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from eventstore.errors import ReadModelOutdated
from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.parked_streams import find_positions
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.recompute import Recomputation, subjects_of
from eventstore.projections.table import SCHEMA, Table
from eventstore.projections.tables import Tables, name_of, tables_of
from eventstore.steps import Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveRows:
    """
    The live generation of a read model: its *tables*, and its *number*.

    *position* is its checkpoint, *parked* has from where on streams are parked for it.
    *being_forgotten* are streams with an event behind the checkpoint that forgets a
    person: their rows show what can no longer be read in the events.
    """

    projection: Projection
    number: int
    tables: Tables
    position: int
    parked: Mapping[str, int]
    being_forgotten: frozenset[str] = frozenset()


def find_live_rows(
    connection: psycopg.Connection[Any], projection: Projection
) -> LiveRows:
    """
    Return the live rows.

    Raises ReadModelOutdated if this code did not make them, or they were dropped.
    """
    live = live_generations(connection).get(projection.name)
    if live is None or live.shape != shape_of(projection):
        raise ReadModelOutdated(projection.name)
    name = name_of(projection.name, live.number)
    row = connection.execute(
        "SELECT checkpoint FROM public.subscriptions"
        " WHERE name = %s AND to_regclass(%s) IS NOT NULL",
        (name, f"{SCHEMA}.{name}"),
    ).fetchone()
    if row is None:
        raise ReadModelOutdated(projection.name)
    return LiveRows(
        projection=projection,
        number=live.number,
        tables=tables_of(projection, live.number),
        position=row[0],
        parked=find_positions(connection, name),
        being_forgotten=find_forgotten_behind(connection, projection, row[0]),
    )


def find_forgotten_behind(
    connection: psycopg.Connection[Any], projection: Projection, position: int
) -> frozenset[str]:
    """Return the streams that are forgotten by an event behind *position*."""
    if not projection.types_that_forget:
        return frozenset()
    rows = connection.execute(
        "SELECT stream_id FROM public.events WHERE id > %s AND type = ANY (%s)",
        (position, list(projection.types_that_forget)),
    )
    return frozenset(stream_id for (stream_id,) in rows)


def has_unread(
    connection: psycopg.Connection[Any],
    live: LiveRows,
    up_to: int,
    at: datetime | None,
) -> bool:
    """
    Return whether events behind the checkpoint may belong to a moment.

    They are those of the read model's types up to the position *up_to*, and up to the
    time *at* if it is given.
    """
    if up_to <= live.position:
        return False
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM public.events
            WHERE id > %s AND id <= %s AND type = ANY (%s)
                AND (%s::timestamptz IS NULL OR occurred_at <= %s)
        )
        """,
        (live.position, up_to, list(live.projection.types), at, at),
    ).fetchone()
    return row == (True,)


def load_rows(
    connection: psycopg.Connection[Any], live: LiveRows, keys: list[Key]
) -> dict[Key, Row]:
    """
    Return the rows with these keys, as the table has them.

    Raises msgspec.MsgspecError where the JSON of a row is none of its class.
    """
    table = live.tables.rows
    return table.loaded(table.load(keys).send(connection)) if keys else {}


class ReadableRows(Recomputation):
    """Folds streams as others do, and passes over rows whose JSON cannot be read."""

    def ask(self, table: Table, statement: Statement) -> dict[Key, Row]:
        rows: dict[Key, Row] = {}
        for row in statement.send(self.connection):
            with suppress(msgspec.MsgspecError):
                rows[row[table.place]] = table.read(row)
        return rows


def streams_that_make(
    projection: Projection, key: Key, row: Row | None
) -> set[str] | None:
    """
    Return the streams to begin with, to make the row *key* once more.

    *row* is what the table has of it, if it has it. None: they are not known.
    """
    if (stream_id := projection.stream_of(key)) is not None:
        return {stream_id}
    if row is None or not projection.streams:
        return None
    return set(projection.streams_of(row)) or None


def streams_without_row(
    connection: psycopg.Connection[Any], live: LiveRows, streams: Sequence[str]
) -> list[str]:
    """
    Return those of *streams* whose rows may be missing.

    That are those without the row that is called after them. Where no row is called
    after a stream, as in a statement, all that feed rows are returned.
    """
    projection, table = live.projection, live.tables.rows
    own = projection.streams.get(projection.key)
    if own is None:
        of = projection.streams.values()
        return [one for one in streams if one.partition("-")[0] in of]
    named = {key: f"{own}-{key}" for key in table.keys_from(subjects_of(streams, own))}
    if not named:
        return []
    query = sql.SQL("SELECT {key} FROM {table} WHERE {key} = ANY (%s)").format(
        key=sql.Identifier(table.key), table=table.identifier
    )
    there = {key for (key,) in connection.execute(query, (list(named),))}
    return [stream_id for key, stream_id in named.items() if key not in there]

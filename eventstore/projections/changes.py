"""
The changes of a read model's rows, page by page: for stores, and for other services.

A page has rows as they are now, in the order of their last changes. A reader that took
all pages up to the last has the rows of the table, deleted ones apart; from there on
each page has what was changed since.
"""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from eventstore.errors import CheckpointNotInLog, ReadModelOutdated, UnknownReadModel
from eventstore.errors.following import ChangesBegunAgain, NotFollowed
from eventstore.projections.change_tracking import changes_of
from eventstore.projections.generations import shape_of
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.tables import name_of, tables_of


class ChangesCursor(NamedTuple):
    """
    A place in the changes of a read model, behind the row *key* of a change.

    *epoch* is the UUID of these changes: another one whenever they are begun again.
    *generation* is the number of the generation that they are of, *change* the number
    of the change, 0 before the first. *key* is a key of the row, text or integer, None
    before the first. *position* is the checkpoint of the read model at that time and
    *event_id* the id of the event there; a log without that event is another one.
    """

    epoch: str
    generation: int
    change: int
    key: Key | None
    position: int
    event_id: str | None


class RowChange(NamedTuple):
    """
    The last change of a row: *row* is the row as it is now, None if it was deleted.

    *key* is the key of the row, text or integer. *change* is the number of the change;
    a later change of a row has a greater one. *position* is the one up to which that
    change has read the log.
    """

    key: Key
    change: int
    position: int
    row: Row | None


class ChangesPage(NamedTuple):
    """
    Changes, oldest first, and the cursor behind them.

    *position* is the read model's checkpoint. With the last page (*is_last*) all rows
    are at least as new as that, and before it they need not be. *newest* is the number
    of the last change that there is.
    """

    changes: list[RowChange]
    cursor: ChangesCursor
    position: int
    newest: int
    is_last: bool


def read_changes(
    connection: psycopg.Connection[Any],
    projection: Projection,
    after: ChangesCursor | None = None,
    *,
    limit: int,
) -> ChangesPage:
    """
    Return the next changes behind *after*, or the first ones where it is None.

    *connection* is in autocommit. What changes between two pages comes behind all that
    was there before, and rows that were taken already come again.

    Raises NotFollowed, UnknownReadModel and ReadModelOutdated; ChangesBegunAgain if the
    cursor is of another generation or epoch, and CheckpointNotInLog if it is of another
    log: after either begin without a cursor, and without the rows that were taken.
    """
    start = find_start(connection, projection, after)
    cursor = start if after is None else after
    changes = page_of(projection, cursor.generation)
    place = () if cursor.key is None else (cursor.change, cursor.key)
    try:
        found = connection.execute(
            changes.following if place else changes.first,
            (*place, limit + 1, changes.tables.name),
        ).fetchall()
    except psycopg.errors.UndefinedTable as error:
        # Dropped since we looked: a rebuild swaps, and the next one drops.
        raise ChangesBegunAgain(projection.name, *start[:2]) from error
    if not found:
        raise ChangesBegunAgain(projection.name, *start[:2])
    position, event_id, newest = found[0][:3]
    page = [changes.read(row[3:]) for row in found if row[3] is not None]
    kept = page[:limit]
    end = kept[-1] if kept else cursor
    return ChangesPage(
        changes=kept,
        cursor=cursor._replace(
            change=end.change, key=end.key, position=position, event_id=event_id
        ),
        position=position,
        newest=newest,
        is_last=len(page) <= limit,
    )


def find_start(
    connection: psycopg.Connection[Any],
    projection: Projection,
    after: ChangesCursor | None = None,
) -> ChangesCursor:
    """Return the cursor before the first change; raise what *after* is refused for."""
    place, event_id = (0, None) if after is None else (after.position, after.event_id)
    row = connection.execute(
        """
        SELECT f.epoch, g.live, g.shape, k.change, public.checkpoint_fault(%s, %s)
        FROM public.generations AS g
        LEFT JOIN public.followed_read_models AS f ON f.read_model = g.read_model
        LEFT JOIN public.change_counters AS k
            ON k.generation = g.read_model || '_g' || g.live
        WHERE g.read_model = %s
        """,
        (place, event_id, projection.name),
    ).fetchone()
    if row is None:
        raise UnknownReadModel(projection.name)
    epoch, live, shape, newest, fault = row
    if epoch is None:
        raise NotFollowed(projection.name)
    if shape != shape_of(projection):
        raise ReadModelOutdated(projection.name)
    if newest is None:
        # Its rows were dropped.
        raise UnknownReadModel(projection.name)
    if after is not None:
        if (after.epoch, after.generation) != (epoch, live):
            raise ChangesBegunAgain(projection.name, epoch, live)
        # No clock goes back that far: numbers of a log that lost its end.
        if fault is not None or after.change > newest:
            name = name_of(projection.name, live)
            raise CheckpointNotInLog(name, place, "Take the changes from the first")
    return ChangesCursor(epoch, live, 0, None, 0, None)


class PageOfChanges:
    """The statements that read the changes of a generation with their rows."""

    def __init__(self, projection: Projection, generation: int) -> None:
        self.tables = tables_of(projection, generation)
        self.first = self.text("")
        self.following = self.text("WHERE (c.change, c.key) > (%s, %s)")

        self.of_keys = self.about_rows(
            """
            SELECT
                (c.change, c.key) <= (%s, %s), c.key, c.change, c.position, c.gone,
                {row}
            FROM {changes} AS c LEFT JOIN {rows} AS r ON r.{key} = c.key
            WHERE c.key = ANY (%s)
            """
        )
        self.count = self.about_rows(
            """
            SELECT count(*), count(*) FILTER (WHERE (c.change, c.key) <= (%s, %s))
            FROM {changes} AS c
            """
        )
        self.sample = self.about_rows(
            "SELECT key FROM {changes} TABLESAMPLE BERNOULLI (%s) LIMIT %s"
        )

    def text(self, where: LiteralString) -> bytes:
        """Return the statement: one snapshot for the checkpoint, changes and rows."""
        return self.about_rows(
            f"""
            SELECT
                s.checkpoint, s.event_id, k.change, c.key, c.change, c.position, c.gone,
                {{row}}
            FROM public.subscriptions AS s
            JOIN public.change_counters AS k ON k.generation = s.name
            LEFT JOIN (
                SELECT c.key, c.change, c.position, c.gone FROM {{changes}} AS c
                {where}
                ORDER BY c.change, c.key LIMIT %s
            ) AS c ON true
            LEFT JOIN {{rows}} AS r ON r.{{key}} = c.key
            WHERE s.name = %s
            ORDER BY c.change, c.key
            """
        )

    def about_rows(self, statement: LiteralString) -> bytes:
        """Return a statement with the names of this generation's tables put in."""
        rows = self.tables.rows
        return (
            sql.SQL(statement)
            .format(
                row=sql.SQL(", ").join(c.selected("r") for c in rows.columns.values()),
                changes=changes_of(rows),
                rows=rows.identifier,
                key=sql.Identifier(rows.key),
            )
            .as_bytes()
        )

    def read(self, values: Sequence[Any]) -> RowChange:
        key, change, position, is_gone, *row = values
        return RowChange(
            key, change, position, None if is_gone else self.tables.rows.read(row)
        )


class NewestChange(NamedTuple):
    """The epoch and generation of a read model's changes, and the last number."""

    epoch: str
    generation: int
    change: int


def find_newest(
    connection: psycopg.Connection[Any], read_models: Collection[str]
) -> dict[str, NewestChange]:
    """Return the newest change of each of *read_models* that is followed, by name."""
    rows = connection.execute(
        """
        SELECT g.read_model, f.epoch, g.live, k.change
        FROM public.generations AS g
        JOIN public.followed_read_models AS f ON f.read_model = g.read_model
        JOIN public.change_counters AS k
            ON k.generation = g.read_model || '_g' || g.live
        WHERE g.read_model = ANY (%s)
        """,
        (list(read_models),),
    )
    return {name: NewestChange(*newest) for name, *newest in rows}


@cache
def page_of(projection: Projection, generation: int) -> PageOfChanges:
    return PageOfChanges(projection, generation)

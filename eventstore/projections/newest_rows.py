"""
Rows with the number of the newest change of the same moment: for caches.

Whoever keeps such a row can tell later whether it was read before or after a change.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import psycopg

from eventstore.errors.following import ChangesBegunAgain
from eventstore.projections.changes import (
    ChangesPage,
    PageOfChanges,
    RowChange,
    find_start,
    page_of,
)
from eventstore.projections.projection import Key, Projection


class NewestRows(NamedTuple):
    """
    Some rows, and the moment at which they were read.

    *newest* is the number of the last change at that moment, *position* the checkpoint
    of the read model, *epoch* the UUID of its changes.
    """

    rows: Sequence[RowChange]
    newest: int
    position: int
    epoch: str


def read_newest(
    connection: psycopg.Connection[Any],
    projection: Projection,
    generation: int,
    keys: Sequence[Key],
) -> NewestRows | None:
    """
    Return the rows with *keys* of a generation, read by one statement.

    Keys that never had a row are left out, deleted rows are not. None if readers see
    another generation, or it is not followed.
    """
    statements = statements_of(projection, generation)
    try:
        found = connection.execute(
            statements.of_keys, (list(keys), projection.name, generation)
        ).fetchall()
    except psycopg.errors.UndefinedTable:
        # A rebuild dropped it.
        return None
    if not found:
        return None
    position, _, newest, epoch = found[0][:4]
    rows = [statements.page.read(row[4:]) for row in found if row[4] is not None]
    return NewestRows(rows, newest, position, epoch)


def read_end(
    connection: psycopg.Connection[Any], projection: Projection
) -> ChangesPage:
    """
    Return the page without changes behind all that there are now.

    From its cursor on come the changes after this moment. Raises what `read_changes`
    does without a cursor.
    """
    start = find_start(connection, projection)
    statements = statements_of(projection, start.generation)
    try:
        found = connection.execute(
            statements.end, (projection.name, start.generation)
        ).fetchone()
    except psycopg.errors.UndefinedTable as error:
        raise ChangesBegunAgain(projection.name, *start[:2]) from error
    if found is None or found[3] != start.epoch:
        raise ChangesBegunAgain(projection.name, *start[:2])
    position, event_id, newest, _, key, change = found
    return ChangesPage(
        changes=[],
        cursor=start._replace(
            change=change or 0, key=key, position=position, event_id=event_id
        ),
        position=position,
        newest=newest,
        is_last=True,
    )


class NewestStatements:
    """The statements of a generation; each is one snapshot."""

    def __init__(self, page: PageOfChanges) -> None:
        self.page = page
        moment = """
            FROM public.subscriptions AS s
            JOIN public.change_counters AS k ON k.generation = s.name
            JOIN public.generations AS g ON s.name = g.read_model || '_g' || g.live
            JOIN public.followed_read_models AS f ON f.read_model = g.read_model
        """
        self.of_keys = page.about_rows(
            f"""
            SELECT
                s.checkpoint, s.event_id, k.change, f.epoch,
                c.key, c.change, c.position, c.gone, {{row}}
            {moment}
            LEFT JOIN {{changes}} AS c ON c.key = ANY (%s)
            LEFT JOIN {{rows}} AS r ON r.{{key}} = c.key
            WHERE g.read_model = %s AND g.live = %s
            """
        )
        self.end = page.about_rows(
            f"""
            SELECT s.checkpoint, s.event_id, k.change, f.epoch, c.key, c.change
            {moment}
            LEFT JOIN (
                SELECT key, change FROM {{changes}}
                ORDER BY change DESC, key DESC LIMIT 1
            ) AS c ON true
            WHERE g.read_model = %s AND g.live = %s
            """
        )


@cache
def statements_of(projection: Projection, generation: int) -> NewestStatements:
    return NewestStatements(page_of(projection, generation))

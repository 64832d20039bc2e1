"""What a row of a read model would be after events that have not happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.explaining.live_rows import LiveRows, find_live_rows
from eventstore.journal.preview import CommandPreview
from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS
from eventstore.personal.keyring import Keyring
from eventstore.projections.folding import Folding
from eventstore.projections.projection import Key, Projection, Row
from eventstore.steps import take_steps

MAX_UNREAD = 1_000
"""Events that a read model may be behind so that its rows are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPreview:
    """
    A row, *before* a command and *after* it; None: there is none.

    *key* is its number or text. One that *is_old* cannot be told, and both are None:
    the read model passes over an event of its streams, or has very many left to read.
    """

    key: Key
    before: Row | None
    after: Row | None
    is_old: bool = False


def preview_row(
    connection: psycopg.Connection[Any],
    projection: Projection,
    preview: CommandPreview,
    *,
    masters: MasterKeys | None = None,
) -> RowPreview | None:
    """
    Return the row that is called after the stream of a command, before and after it.

    It is folded as the projection folds it, from the live rows and what these have not
    read yet, and nothing is written. *masters* open personal fields. None where no row
    is called after the stream.

    Raises ReadModelOutdated where the rows were made from another definition, or were
    dropped.
    """
    category, _, subject = preview.stream_id.partition("-")
    if projection.streams.get(projection.key) != category:
        return None
    live = find_live_rows(connection, projection)
    keys = live.tables.rows.keys_from([subject])
    if not keys:
        return None
    [key] = keys
    unread = read_unread(connection, live, masters)
    if len(unread) > MAX_UNREAD:
        return RowPreview(key=key, before=None, after=None, is_old=True)
    end = unread[-1].position if unread else live.position
    ahead = [
        event.recorded._replace(position=end + number)
        for number, event in enumerate(preview.events, 1)
        if event.recorded.type in projection.types
    ]
    now = fold_live(connection, live, key, unread)
    then = fold_live(connection, live, key, [*unread, *ahead])
    before, after = now.rows.by_key.get(key), then.rows.by_key.get(key)
    streams = {preview.stream_id, *preview.others}
    streams.update(*(projection.streams_of(row) for row in (before, after) if row))
    failed = {failure.stream_id for failure in (*now.failures, *then.failures)}
    if streams & (live.parked.keys() | failed):
        return RowPreview(key=key, before=None, after=None, is_old=True)
    return RowPreview(key=key, before=before, after=after)


def read_unread(
    connection: psycopg.Connection[Any], live: LiveRows, masters: MasterKeys | None
) -> Sequence[RecordedEvent]:
    """
    Return the events that the live rows lack, up to one more than MAX_UNREAD.

    They are of all streams: others than those that a row names may feed it.
    """
    rows = connection.execute(
        f"""
        SELECT {COLUMNS} FROM public.events
        WHERE id > %s AND type = ANY (%s)
        ORDER BY id LIMIT %s
        """,
        (live.position, list(live.projection.types), MAX_UNREAD + 1),
    )
    events = [RecordedEvent(*row) for row in rows]
    if masters is None:
        return events
    keyring = Keyring(connection, masters)
    return keyring.decrypt_readable(events, live.projection.codec.opens)


def fold_live(
    connection: psycopg.Connection[Any],
    live: LiveRows,
    key: Key,
    events: Sequence[RecordedEvent],
) -> Folding:
    """Fold *events* into the live rows, in memory; the row *key* is among them."""
    folding = Folding(live.projection, live.tables, live.parked)
    take_steps(connection, [folding.fold(events, {}, has_parked=False)])
    if unknown := folding.rows.find_unknown({key}):
        answer = live.tables.rows.load(unknown).send(connection)
        folding.rows.take(unknown, answer)
    return folding

"""The changes of a column: what versions of its row show, with the commands' types."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.encryption.envelope import FORGOTTEN
from eventstore.encryption.personal_fields import PLACEHOLDER
from eventstore.explaining.explanation import ColumnChange
from eventstore.explaining.log_folding import RowVersion
from eventstore.journal.command_types import find_types
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.projections.projection import Projection, Row

_metadata = msgspec.json.Decoder(Metadata)


def value_of(row: Row | None, column: str) -> Any:
    """Return the value of a column; None where there is no row."""
    return None if row is None else getattr(row, column)


def find_last_forgetting(
    connection: psycopg.Connection[Any],
    projection: Projection,
    streams: Collection[str],
) -> int:
    """Return the position of the last event of *streams* that forgets; 0: none does."""
    row = connection.execute(
        """
        SELECT coalesce(max(id), 0) FROM public.events
        WHERE stream_id = ANY (%s) AND type = ANY (%s)
        """,
        (list(streams), list(projection.types_that_forget)),
    ).fetchone()
    assert row is not None
    return int(row[0])


def gives_clear_text(event: RecordedEvent, forgotten_at: int) -> bool:
    """Return whether an event still has what was forgotten: it was never encrypted."""
    return event.position < forgotten_at and FORGOTTEN not in event.data


def without_forgotten(
    connection: psycopg.Connection[Any],
    projection: Projection,
    column: str,
    versions: Sequence[RowVersion],
    streams: Collection[str] | None,
) -> list[RowVersion]:
    """
    Return *versions* without the personal values of *column* that were forgotten.

    These can be read in events from before encryption alone. *streams* are those that
    were folded, None for all.
    """
    if not (versions and projection.types_that_forget):
        return list(versions)
    if streams is None:
        rows = [row for one in versions if (row := one.after or one.before)]
        streams = {one for row in rows for one in projection.streams_of(row)}
    place = find_last_forgetting(connection, projection, streams)
    return list(hide_clear_text(versions, column, place))


def hide_clear_text(
    versions: Sequence[RowVersion], column: str, forgotten_at: int
) -> Iterator[RowVersion]:
    """Yield *versions*; *forgotten_at* is the position of the event that forgets."""
    was_clear = True
    for event, before, after in versions:
        is_clear = gives_clear_text(event, forgotten_at)
        yield RowVersion(
            event,
            hide(before, column)
            if was_clear and event.position <= forgotten_at
            else before,
            hide(after, column) if is_clear else after,
        )
        was_clear = is_clear


def hide(row: Row | None, column: str) -> Row | None:
    """Return *row* with the word for what was forgotten, where it has a value."""
    if row is None or getattr(row, column) is None:
        return row
    return replace(row, **{column: PLACEHOLDER})


def describe_changes(
    connection: psycopg.Connection[Any],
    projection: Projection,
    column: str,
    versions: Collection[RowVersion],
) -> list[ColumnChange]:
    """Return what *versions* of a row, the oldest first, did to *column*, reversed."""
    told = [(one, _metadata.decode(one.event.metadata)) for one in versions]
    types = find_types(connection, [metadata.command_id for _, metadata in told])
    return [
        change_of(projection, column, version, metadata, types)
        for version, metadata in reversed(told)
    ]


def change_of(
    projection: Projection,
    column: str,
    version: RowVersion,
    metadata: Metadata,
    types: Mapping[UUID, str],
) -> ColumnChange:
    event, before, after = version
    command_id = metadata.command_id
    return ColumnChange(
        position=event.position,
        stream_id=event.stream_id,
        version=event.version,
        type=event.type,
        occurred_at=event.occurred_at,
        actor=metadata.actor,
        command_id=command_id,
        command_type=None if command_id is None else types.get(command_id),
        causation_id=metadata.causation_id,
        source=metadata.source,
        before=value_of(before, column),
        after=value_of(after, column),
        makes_row=before is None,
        removes_row=after is None,
        forgets=event.type in projection.types_that_forget,
    )

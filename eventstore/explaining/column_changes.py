"""The changes of a column: what versions of its row show, with the commands' types."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.explaining.explanation import ColumnChange
from eventstore.explaining.log_folding import RowVersion
from eventstore.journal.command_types import find_types
from eventstore.log.events import Metadata
from eventstore.projections.projection import Projection, Row

_metadata = msgspec.json.Decoder(Metadata)


def value_of(row: Row | None, column: str) -> Any:
    """Return the value of a column; None where there is no row."""
    return None if row is None else getattr(row, column)


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

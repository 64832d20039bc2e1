"""Counts the events whose personal fields are not encrypted."""

from collections.abc import Sequence

import sqlalchemy as sa

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.log.codec import FIRST_SCHEMA
from eventstore.log.schema import events
from eventstore.personal.unencrypted_fields import is_unencrypted_event


def count_unencrypted(
    connection: sa.Connection, stream_ids: Sequence[str], deciders: Deciders
) -> int:
    """Return how many events of these streams have personal fields not encrypted."""
    codecs = {d.category: d.events for d in deciders.all if d.events.personal_types}
    rows = connection.execute(
        sa.select(
            events.c.stream_id,
            events.c.type,
            sa.func.coalesce(events.c.metadata["schema"].astext, FIRST_SCHEMA),
            sa.cast(events.c.data, sa.Text),
        ).where(
            events.c.stream_id.in_(stream_ids),
            events.c.type.in_([name for c in codecs.values() for name in c.types]),
        )
    )
    return sum(
        is_unencrypted_event(codecs[category_of(stream_id)], type_, schema, data)
        for stream_id, type_, schema, data in rows
    )

"""
Who was forgotten behind a moment, and yet can be read in its events.

That is so for events from before encryption, which have no key to destroy.
"""

from collections.abc import Iterable
from typing import Any

import psycopg

from eventstore.encryption.envelope import FORGOTTEN, PERSONAL
from eventstore.errors import EventStoreError
from eventstore.log.codec import EventCodec, recorded_schema
from eventstore.log.events import RecordedEvent
from eventstore.past.moments import BELONGS, Moment
from eventstore.personal.unencrypted_fields import is_unencrypted_event
from eventstore.projections.projection import Projection


def has_clear_text(codec: EventCodec, events: Iterable[RecordedEvent]) -> bool:
    """Return whether one of *events*, as stored, has personal fields in the clear."""
    suspects = {*codec.personal_types, *codec.old_types}
    return any(
        event.type in suspects
        and PERSONAL not in event.data
        and FORGOTTEN not in event.data
        and is_in_the_clear(codec, event)
        for event in events
    )


def is_in_the_clear(codec: EventCodec, event: RecordedEvent) -> bool:
    """Return whether *event* has a personal field; not if it cannot be read at all."""
    try:
        schema = recorded_schema(event)
        return is_unencrypted_event(codec, event.type, schema, event.data)
    except (EventStoreError, ValueError, TypeError):
        # It is left out of the copy.
        return False


def find_forgettings(
    connection: psycopg.Connection[Any],
    projection: Projection,
    moment: Moment,
    up_to: int,
) -> list[RecordedEvent]:
    """
    Return the events up to the position *up_to* that forget somebody behind the moment.

    Of whom the stream begins later there may be an imported event of earlier years.
    """
    rows = connection.execute(
        f"""
        SELECT
            e.id, e.stream_id, e.type, e.version, e.data::text, e.metadata::text,
            e.occurred_at
        FROM public.events AS e
        WHERE e.type = ANY (%(types)s) AND e.id <= %(end)s AND NOT ({BELONGS})
        ORDER BY e.id
        """,
        {
            **moment.parameters,
            "types": sorted(projection.types_that_forget),
            "end": up_to,
        },
    )
    return [RecordedEvent(*row) for row in rows]

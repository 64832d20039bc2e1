"""Events by the ids in their metadata: one event, or a whole conversation."""

from typing import Any
from uuid import UUID

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS, settled

MAX_EVENTS_READ = 1_000
"""The default limit of events read at once."""

# In the statements OFFSET 0 makes the planner use the index by id: otherwise it may
# begin with the settled positions, which are nearly all of the log.


def find_event(
    connection: psycopg.Connection[Any], event_id: UUID
) -> RecordedEvent | None:
    """Return the event called *event_id*, or None."""
    end = settled(connection)
    row = connection.execute(
        f"""
        SELECT {COLUMNS}
        FROM (
            SELECT * FROM public.events
            WHERE (metadata ->> 'event_id')::uuid = %s
            OFFSET 0
        ) AS found
        WHERE id <= %s ORDER BY id LIMIT 1
        """,
        (event_id, end),
    ).fetchone()
    return None if row is None else RecordedEvent(*row)


def read_conversation(
    connection: psycopg.Connection[Any],
    correlation_id: UUID,
    *,
    limit: int = MAX_EVENTS_READ,
) -> list[RecordedEvent]:
    """Return the first *limit* events that have this correlation id, in order."""
    end = settled(connection)
    rows = connection.execute(
        # Events caused by the first message itself, and later ones: the index of the
        # latter has no entry for the former, which are most events.
        f"""
        SELECT {COLUMNS}
        FROM (
            SELECT * FROM public.events
            WHERE (metadata ->> 'causation_id')::uuid = %(conversation)s
                AND metadata ->> 'correlation_id' = %(conversation)s::text
            UNION ALL
            SELECT * FROM public.events
            WHERE (metadata ->> 'correlation_id')::uuid = %(conversation)s
                AND metadata ->> 'correlation_id' <> metadata ->> 'causation_id'
            OFFSET 0
        ) AS found
        WHERE id <= %(end)s ORDER BY id LIMIT %(limit)s
        """,
        {"conversation": correlation_id, "end": end, "limit": limit},
    )
    return [RecordedEvent(*row) for row in rows]

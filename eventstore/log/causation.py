"""Events by the ids in their metadata: one event, or a whole conversation."""

from typing import Any
from uuid import UUID

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS, settled

MAX_EVENTS_READ = 1_000
"""Events that are read at once, where the caller names no other limit."""

# In the statements OFFSET 0 keeps the planner at the index by the id that is asked for:
# what is settled is nearly all of the log, and it may take that for a way to begin.


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
        # Those that the first message itself caused, and those that follow from them:
        # the index of the latter has no entry for the former, which most events are.
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

"""Who follows from whom: one event, what a message caused, a whole conversation."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, MutableMapping
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS, settled

MAX_EFFECTS = 1_000
"""Events that are found at once, where the caller names no other limit."""

# In the statements OFFSET 0 keeps the planner at the index by the id that is asked for:
# what is settled is nearly all of the log, and it may take that for a way to begin.


class Effect(NamedTuple):
    """
    An event that a message caused; *depth* is the number of events between, from 0.
    """

    event: RecordedEvent
    depth: int


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
    limit: int = MAX_EFFECTS,
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


def find_effects(
    connection: psycopg.Connection[Any], message_id: UUID, *, limit: int = MAX_EFFECTS
) -> list[Effect]:
    """
    Return the events that a command or an event caused, directly or through others.

    They are a tree, in its order: behind each event come its own effects. Of more than
    *limit* events those farthest from the message are left out.
    """
    end = settled(connection)
    rows = connection.execute(
        f"""
        WITH RECURSIVE effects AS (
            SELECT * FROM public.events
            WHERE (metadata ->> 'causation_id')::uuid = %(message)s
            UNION ALL
            SELECT effect.*
            FROM effects AS cause
            CROSS JOIN LATERAL (
                SELECT * FROM public.events AS e
                WHERE (e.metadata ->> 'causation_id')::uuid
                    = (cause.metadata ->> 'event_id')::uuid
                OFFSET 0
            ) AS effect
            -- An effect comes after its cause: whatever the log holds, this ends.
            WHERE effect.id > cause.id
        )
        SELECT
            {COLUMNS},
            (metadata ->> 'event_id')::uuid,
            (metadata ->> 'causation_id')::uuid
        FROM effects WHERE id <= %(end)s LIMIT %(limit)s
        """,
        {"message": message_id, "end": end, "limit": limit},
    )
    caused: dict[UUID | None, list[IndexedEvent]] = defaultdict(list)
    for *columns, event_id, cause in rows:
        caused[cause].append(IndexedEvent(RecordedEvent(*columns), event_id))
    return list(in_order(caused, message_id))


class IndexedEvent(NamedTuple):
    """An event, and the id by which others name it as their cause."""

    event: RecordedEvent
    event_id: UUID | None


def in_order(
    caused: MutableMapping[UUID | None, list[IndexedEvent]], message_id: UUID
) -> Iterator[Effect]:
    """Yield the tree below a message: each event, then its own effects."""
    # A stack of our own: a chain may be longer than Python calls itself.
    waiting = [(0, one) for one in latest_first(caused.pop(message_id, ()))]
    while waiting:
        depth, (event, event_id) = waiting.pop()
        yield Effect(event, depth)
        # Taken out, so that what names itself as its cause is told once.
        effects = latest_first(caused.pop(event_id, ()))
        waiting += [(depth + 1, effect) for effect in effects]


def latest_first(events: Iterable[IndexedEvent]) -> list[IndexedEvent]:
    return sorted(events, key=lambda one: one.event.position, reverse=True)

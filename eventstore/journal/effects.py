"""The effects of a message: its events, the commands caused by them, and so on."""

from collections import defaultdict
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS, settled

MAX_EFFECTS = 1_000
"""The default limit of events and commands found."""

# The recursion runs, level by level, only while its rows are fetched: LIMIT ends it.
# UNION drops repeated rows, so a circle of causes ends too. OFFSET 0 has each message
# looked up by its key; a hash join would read whole tables.
FIND_EFFECTS = f"""
    WITH RECURSIVE effects (position, message_id, cause) AS (
        SELECT NULL::bigint, %(message)s::uuid, NULL::uuid
        UNION
        SELECT caused.*
        FROM effects AS known
        CROSS JOIN LATERAL (
            SELECT e.id, (e.metadata ->> 'event_id')::uuid, known.message_id
            FROM public.events AS e
            WHERE (e.metadata ->> 'causation_id')::uuid = known.message_id
            UNION ALL
            SELECT NULL, c.id, known.message_id
            FROM public.commands AS c
            WHERE c.metadata ? 'causation_id'
                AND (c.metadata ->> 'causation_id')::uuid = known.message_id
                -- One that names itself as its cause followed from nothing.
                AND c.id <> known.message_id
        ) AS caused
    )
    SELECT found.cause, found.message_id,
        command.type, command.stream_id, command.status, event.*
    FROM (
        SELECT * FROM effects
        WHERE cause IS NOT NULL AND (position IS NULL OR position <= %(end)s)
        LIMIT %(limit)s
    ) AS found
    LEFT JOIN LATERAL (
        SELECT {COLUMNS} FROM public.events WHERE id = found.position OFFSET 0
    ) AS event ON true
    LEFT JOIN LATERAL (
        SELECT seq, type, stream_id, status FROM public.commands
        WHERE found.position IS NULL AND id = found.message_id OFFSET 0
    ) AS command ON true
    ORDER BY found.position, command.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """
    A command that a process manager sent because of an event.

    *id* is that of the command, *status* like `succeeded`.
    """

    id: UUID
    type: str
    stream_id: str
    status: str


class Effect(NamedTuple):
    """
    An event or a command that a message caused.

    *depth* is the number of messages in between, from 0.
    """

    message: RecordedEvent | FollowUp
    depth: int


class IdentifiedMessage(NamedTuple):
    """A message, and the id by which others name it as their cause."""

    message: RecordedEvent | FollowUp
    id: UUID | None


def find_effects(
    connection: psycopg.Connection[Any],
    message_id: UUID,
    *,
    limit: int = MAX_EFFECTS,
) -> list[Effect]:
    """
    Return what a command or an event caused, directly or through other messages.

    *message_id* is its id. The effects are a tree, in its order: behind each come its
    own effects, events before commands. Only settled events are found. Of more than
    *limit* effects those farthest from the message are left out. It reads the journal
    too, which the role `reader` may not.
    """
    rows = connection.execute(
        FIND_EFFECTS,
        {"message": message_id, "end": settled(connection), "limit": limit},
    )
    caused: dict[UUID | None, list[IdentifiedMessage]] = defaultdict(list)
    for cause, found_id, type_, stream_id, status, *columns in rows:
        message: RecordedEvent | FollowUp
        if columns[0] is None:
            message = FollowUp(
                id=found_id, type=type_, stream_id=stream_id, status=status
            )
        else:
            message = RecordedEvent(*columns)
        caused[cause].append(IdentifiedMessage(message, found_id))
    return list(in_order(caused, message_id))


def in_order(
    caused: MutableMapping[UUID | None, list[IdentifiedMessage]], message_id: UUID
) -> Iterator[Effect]:
    """Yield the tree below a message: each effect, then its own effects."""
    # A stack of our own: a chain may be longer than Python's limit of recursion.
    waiting = [(0, one) for one in reversed(caused.pop(message_id, []))]
    while waiting:
        depth, (message, its_id) = waiting.pop()
        yield Effect(message, depth)
        # Removed, so that a message that names itself as its cause is yielded once.
        effects = reversed(caused.pop(its_id, []))
        waiting += [(depth + 1, effect) for effect in effects]

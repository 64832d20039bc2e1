"""What a command caused: its events, the commands that followed from them, theirs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS

MAX_ENTRIES = 1_000
"""Events and commands that are found; a conversation may go on for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A command that a process of ours sent because of another message."""

    id: UUID
    type: str
    stream_id: str
    status: str


Message = RecordedEvent | FollowUp


class TraceEntry(NamedTuple):
    """An event or a follow-up; *depth* counts the messages in between, from 0."""

    what: Message
    depth: int


def trace(
    connection: psycopg.Connection[Any], command_id: UUID, *, limit: int = MAX_ENTRIES
) -> list[TraceEntry]:
    """
    Return what followed from a command, as a tree in its order.

    Of more than *limit* those are left out that are farthest from it.
    """
    caused: dict[UUID, list[tuple[UUID, Message]]] = defaultdict(list)
    known = {command_id}
    generation = [command_id]
    while generation and len(known) <= limit:
        found: list[tuple[UUID, UUID, Message]] = [
            *find_events_of(connection, generation),
            *find_follow_ups_of(connection, generation),
        ]
        generation = []
        for cause, message_id, what in found:
            # What names itself as its cause, or comes by two ways, is told once.
            if message_id not in known and len(known) <= limit:
                known.add(message_id)
                caused[cause].append((message_id, what))
                generation.append(message_id)
    return list(in_order(caused, command_id))


def find_events_of(
    connection: psycopg.Connection[Any], causes: Sequence[UUID]
) -> Iterator[tuple[UUID, UUID, RecordedEvent]]:
    """Yield the events that these messages caused, each with its cause and its id."""
    rows = connection.execute(
        f"""
        SELECT (metadata ->> 'causation_id')::uuid, (metadata ->> 'event_id')::uuid,
            {COLUMNS}
        FROM public.events
        WHERE (metadata ->> 'causation_id')::uuid = ANY (%s)
        ORDER BY id LIMIT %s
        """,
        (list(causes), MAX_ENTRIES),
    )
    for cause, event_id, *columns in rows:
        yield cause, event_id, RecordedEvent(*columns)


def find_follow_ups_of(
    connection: psycopg.Connection[Any], causes: Sequence[UUID]
) -> Iterator[tuple[UUID, UUID, FollowUp]]:
    """Yield the commands that followed from these messages, with cause and id."""
    rows = connection.execute(
        """
        SELECT (metadata ->> 'causation_id')::uuid, id, type, stream_id, status
        FROM public.commands
        WHERE metadata ? 'causation_id'
            AND (metadata ->> 'causation_id')::uuid = ANY (%s)
        ORDER BY seq LIMIT %s
        """,
        (list(causes), MAX_ENTRIES),
    )
    for cause, command_id, type_, stream_id, status in rows:
        followed = FollowUp(
            id=command_id, type=type_, stream_id=stream_id, status=status
        )
        yield cause, command_id, followed


def in_order(
    caused: dict[UUID, list[tuple[UUID, Message]]], command_id: UUID
) -> Iterator[TraceEntry]:
    """Yield the tree below a command: each message, then what it caused."""
    # A stack of our own: a chain may be longer than Python calls itself.
    waiting = [(0, one) for one in reversed(caused[command_id])]
    while waiting:
        depth, (message_id, what) = waiting.pop()
        yield TraceEntry(what, depth)
        effects = caused.get(message_id, [])
        waiting += [(depth + 1, effect) for effect in reversed(effects)]

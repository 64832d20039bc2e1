"""
Read the log page by page for other services, from a cursor that they keep.

A cursor has a position and the id of its event, `12-8b5b8c73-…`: in a restored or
copied log that event is missing, and reading fails. A position alone is accepted, too,
and detects only a log that ends before it.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.errors import BadCursor, CheckpointNotInLog
from eventstore.log.events import RecordedEvent
from eventstore.log.read import SPAN, read_all, settled
from eventstore.personal.keyring import about_of
from eventstore.subscriptions.external_store import (
    ForeignCheckpoint,
    last_up_to,
    settled_in_the_same_log,
)
from tasks.shop.published_events import PublishedEvent, recorded_types

MAX_POSITION = 2**63 - 1
START = ForeignCheckpoint()
CURSOR = re.compile(
    r"(0|[1-9][0-9]{0,18})"
    r"(?:-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}))?"
)


class EventFilter(NamedTuple):
    """The types and category of events to return; None means all."""

    types: frozenset[str] | None = None
    category: str | None = None

    def fits(self, event: PublishedEvent) -> bool:
        """Return whether a published event has these types and this category."""
        return (self.types is None or event.type in self.types) and (
            self.category is None or event.category == self.category
        )


ALL = EventFilter()


class RecordedPage(NamedTuple):
    """
    Recorded events, and the cursor after them.

    *is_last* is True at the present end of the log; other pages never change.
    """

    events: list[RecordedEvent]
    cursor: ForeignCheckpoint
    is_last: bool


def parse_cursor(written: str) -> ForeignCheckpoint:
    """Return the position and event id of a cursor. Raises BadCursor."""
    found = CURSOR.fullmatch(written)
    if found is None or int(found[1]) > MAX_POSITION:
        raise BadCursor
    return ForeignCheckpoint(int(found[1]), UUID(found[2]) if found[2] else None)


def format_cursor(cursor: ForeignCheckpoint) -> str:
    if cursor.event_id is None:
        return str(cursor.position)
    return f"{cursor.position}-{cursor.event_id}"


def cursor_at(event: RecordedEvent) -> ForeignCheckpoint:
    """Return the cursor after *event*."""
    return ForeignCheckpoint(event.position, about_of(event))


def find_end(connection: psycopg.Connection[Any]) -> ForeignCheckpoint:
    """Return the cursor at *settled*."""
    return last_up_to(connection, settled(connection), START)


def read_page(
    connection: psycopg.Connection[Any],
    cursor: ForeignCheckpoint,
    wanted: EventFilter,
    deciders: Deciders,
    *,
    limit: int,
    max_bytes: int,
    up_to: int = MAX_POSITION,
) -> RecordedPage:
    """
    Return a page of settled events after *cursor*: at most *limit*, oldest first.

    Its data have at most *max_bytes* bytes, unless the first event alone has more. With
    *up_to*, the log is read as if it ended at that position, which need not be settled.

    The page may contain events that *wanted* excludes: for a renamed type, only the
    upcaster can tell the present type. *connection* is in autocommit.

    Raises CheckpointNotInLog if the cursor belongs to another log.
    """
    goal = min(find_goal(connection, cursor), up_to)
    start = cursor.position
    if cursor.event_id is None and 0 < start <= goal:
        # Cursors from here on have the event's id, too.
        cursor = last_up_to(connection, start, START)
    while True:
        reach = min(goal, start + SPAN)
        events = read_all(
            connection,
            after=start,
            up_to=reach,
            limit=limit,
            types=types_to_read(deciders, wanted),
            category=wanted.category,
        )
        kept = up_to_bytes(events, max_bytes)
        if len(kept) < len(events) or len(kept) == limit:
            return RecordedPage(kept, cursor_at(kept[-1]), False)
        behind = last_up_to(connection, reach, cursor)
        if reach == goal or behind != cursor:
            return RecordedPage(kept, behind, reach == goal)
        # These positions are unused: skip to the next event.
        start = last_before_event(connection, reach, goal)


def types_to_read(deciders: Deciders, wanted: EventFilter) -> Sequence[str] | None:
    if wanted.types is None:
        return None
    return sorted(recorded_types(deciders, wanted.types))


def up_to_bytes(events: list[RecordedEvent], most: int) -> list[RecordedEvent]:
    """Return the first *events* with at most *most* bytes of data: one at least."""
    size = 0
    for number, event in enumerate(events):
        size += len(event.data)
        if size > most:
            return events[: max(number, 1)]
    return events


def find_goal(connection: psycopg.Connection[Any], cursor: ForeignCheckpoint) -> int:
    """
    Return *settled*.

    Raises CheckpointNotInLog if the cursor belongs to another log.
    """
    if cursor.event_id is not None or not cursor.position:
        return settled_in_the_same_log(connection, "events", cursor)
    row = connection.execute("SELECT public.settled(), public.last_drawn()").fetchone()
    assert row is not None
    if cursor.position > row[1]:
        raise CheckpointNotInLog("events", cursor.position, "Begin again")
    return int(row[0])


def last_before_event(
    connection: psycopg.Connection[Any], position: int, goal: int
) -> int:
    """Return the position before the first event after *position*, or else *goal*."""
    row = connection.execute(
        "SELECT min(id) FROM public.events WHERE id > %s AND id <= %s", (position, goal)
    ).fetchone()
    assert row is not None
    return goal if row[0] is None else int(row[0]) - 1

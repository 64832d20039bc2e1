"""
Reading the log page by page for other services, from a cursor that they keep.

A cursor names a position and the event there, `12-8b5b8c73-…`: in a log that was
restored, or copied, that event is not there, and the follower is told so. The position
alone is taken too, and notices no more than that the log has not come so far.
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
    """Types and category of the events that are followed; None leaves none out."""

    types: frozenset[str] | None = None
    category: str | None = None

    def fits(self, event: PublishedEvent) -> bool:
        """Say whether an event, as it is published, is one of them."""
        return (self.types is None or event.type in self.types) and (
            self.category is None or event.category == self.category
        )


ALL = EventFilter()


class RecordedPage(NamedTuple):
    """
    Events as they were recorded, and the cursor behind them.

    *is_last* is True where the log ends, as of now; any other page never changes.
    """

    events: list[RecordedEvent]
    cursor: ForeignCheckpoint
    is_last: bool


def parse_cursor(written: str) -> ForeignCheckpoint:
    """Return what a cursor says. Raises BadCursor."""
    found = CURSOR.fullmatch(written)
    if found is None or int(found[1]) > MAX_POSITION:
        raise BadCursor
    return ForeignCheckpoint(int(found[1]), UUID(found[2]) if found[2] else None)


def format_cursor(cursor: ForeignCheckpoint) -> str:
    if cursor.event_id is None:
        return str(cursor.position)
    return f"{cursor.position}-{cursor.event_id}"


def cursor_at(event: RecordedEvent) -> ForeignCheckpoint:
    """Return the cursor behind *event*."""
    return ForeignCheckpoint(event.position, about_of(event))


def find_end(connection: psycopg.Connection[Any]) -> ForeignCheckpoint:
    """Return the cursor behind all that is settled now."""
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
    Return the page of settled events behind *cursor*: at most *limit*, oldest first.

    It ends before its data have more than *max_bytes*, but has one event at least; and
    at the position *up_to*, which need not be settled, as if the log ended there.

    It may have events that *wanted* leaves out: those of a type that has changed its
    name, of which only the upcaster knows what they are. *connection* is in autocommit.

    Raises CheckpointNotInLog where the log is not that of the cursor.
    """
    goal = min(find_goal(connection, cursor), up_to)
    start = cursor.position
    if cursor.event_id is None and 0 < start <= goal:
        # From here on it names the event, too.
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
        # Positions of which no event has come: on to the first that has.
        start = last_before_event(connection, reach, goal)


def types_to_read(deciders: Deciders, wanted: EventFilter) -> Sequence[str] | None:
    if wanted.types is None:
        return None
    return sorted(recorded_types(deciders, wanted.types))


def up_to_bytes(events: list[RecordedEvent], most: int) -> list[RecordedEvent]:
    """Return those *events* that have *most* bytes of data: the first in any case."""
    size = 0
    for number, event in enumerate(events):
        size += len(event.data)
        if size > most:
            return events[: max(number, 1)]
    return events


def find_goal(connection: psycopg.Connection[Any], cursor: ForeignCheckpoint) -> int:
    """
    Return the position up to which the log is settled.

    Raises CheckpointNotInLog where it is not the log of the cursor.
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
    """Return the position before the first event behind *position*, or else *goal*."""
    row = connection.execute(
        "SELECT min(id) FROM public.events WHERE id > %s AND id <= %s", (position, goal)
    ).fetchone()
    assert row is not None
    return goal if row[0] is None else int(row[0]) - 1

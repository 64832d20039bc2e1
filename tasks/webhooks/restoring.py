"""
Where a webhook goes on, found in the log as it is now.

A place is stored as a position and the id of its event. The id decides: a rewrite of
the log moves positions, and a restored log may have other events at them.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.log.events import RecordedEvent
from eventstore.log.read import settled
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.event_feed import EventFilter
from tasks.webhooks.progress import Progress, StreamProgress
from tasks.webhooks.selection import find_at, find_unknown


class CannotGoOn(Exception):
    """A webhook has to stop where it is; the message says why, and what to do."""


class OpenEvent(NamedTuple):
    """The first event of a stream that is not delivered, and what was tried."""

    event: RecordedEvent
    stored: StreamProgress


class Places(NamedTuple):
    """The cursor of a webhook, and the events of the streams that it delivers."""

    cursor: ForeignCheckpoint
    events: list[OpenEvent]

    @property
    def after(self) -> int:
        """The last position before which everything is delivered."""
        return place_before(
            self.cursor.position, [one.event.position for one in self.events]
        )


def find_places(connection: psycopg.Connection[Any], progress: Progress) -> Places:
    """
    Return the stored places, as positions of this log. Changes nothing.

    *connection* is in autocommit. Raises CannotGoOn if one of them is gone.
    """
    events, missing = [], []
    for stored in progress.streams:
        event = find_event(connection, stored.event_id, stored.position)
        if event is None or event.stream_id != stored.stream:
            missing.append(stored)
        else:
            events.append(OpenEvent(event, stored))
    cursor = find_cursor(connection, progress.cursor)
    if cursor is not None and not missing:
        return Places(cursor, events)
    known = [one.event.position for one in events]
    after = place_before(
        progress.position if cursor is None else cursor.position,
        [*known, *(one.position for one in missing)],
    )
    what = (
        f"the log has not the event at {progress.position} that was sent last"
        if cursor is None
        else f"the log has not the event of {missing[0].stream} at"
        f" {missing[0].position} that is not delivered"
    )
    raise CannotGoOn(describe(what, progress.name, min(after, settled(connection))))


def refuse_unknown(wanted: EventFilter, deciders: Deciders, places: Places) -> None:
    """Raise CannotGoOn if a filter names types or a category that are not there."""
    if unknown := find_unknown(wanted, deciders):
        raise CannotGoOn(
            f"it wants what the shop has not: {', '.join(unknown)}. Remove it, and add"
            f" it with the present names, --after {places.after}"
        )


def place_before(cursor: int, undelivered: Iterable[int]) -> int:
    """Return the last position before which everything is delivered."""
    return min([cursor, *(position - 1 for position in undelivered)])


def describe(what: str, name: str, after: int) -> str:
    """Return why a webhook stops whose place is gone, and how it goes on."""
    return (
        f"{what}: it was restored or replaced. Say where to go on, before what is not"
        f" delivered: recount webhooks resume {name} --after {after}"
    )


def find_cursor(
    connection: psycopg.Connection[Any], cursor: ForeignCheckpoint
) -> ForeignCheckpoint | None:
    """Return a cursor as one of this log, or None if its event is gone."""
    if cursor.event_id is None:
        return cursor
    event = find_event(connection, cursor.event_id, cursor.position)
    return event and ForeignCheckpoint(event.position, cursor.event_id)


def find_event(
    connection: psycopg.Connection[Any], event_id: UUID, position: int
) -> RecordedEvent | None:
    """Return the event with that id, which was once at *position*, or None."""
    row = connection.execute(
        """
        SELECT id FROM public.events WHERE (metadata ->> 'event_id')::uuid = %s
        ORDER BY abs(id - %s) LIMIT 1
        """,
        (event_id, position),
    ).fetchone()
    return None if row is None else find_at(connection, row[0])

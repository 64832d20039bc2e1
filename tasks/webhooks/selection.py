"""The events that a webhook wants, and what is sent of each."""

from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_all, read_stream
from eventstore.personal.keyring import Keyring
from tasks.shop.event_feed import EventFilter
from tasks.shop.published_events import (
    PublishedEvent,
    publish_event,
    publish_events,
    recorded_types,
)
from tasks.webhooks.attempts import Message

BATCH = 100

_encode = msgspec.json.Encoder().encode


class UnreadableEvent(Exception):
    """This version of the shop cannot read an event; the message has the error."""


class Selection:
    """Which events of the log a filter wants, whatever they were once called."""

    def __init__(self, wanted: EventFilter, deciders: Deciders) -> None:
        self.wanted = wanted
        self.deciders = deciders
        self.recorded: frozenset[str] | None = None
        if wanted.types is not None:
            self.recorded = recorded_types(deciders, wanted.types)

    def fits(self, event: RecordedEvent) -> bool:
        """
        Return whether something is to be sent of a recorded event.

        It is also True if the event cannot be read: then it must not be passed over.
        """
        if self.recorded is not None and event.type not in self.recorded:
            return False
        if self.wanted.category not in (None, category_of(event.stream_id)):
            return False
        return any(self.parts_of(publish_event(event, self.deciders, None)))

    def parts_of(self, published: Iterator[PublishedEvent]) -> Iterator[PublishedEvent]:
        for part in published:
            if part.unreadable is not None or self.wanted.fits(part):
                yield part

    def messages_of(
        self, event: RecordedEvent, keyring: Keyring | None
    ) -> list[Message]:
        """
        Return what is sent of an event, as the feed shows it now.

        Personal fields are masked without a *keyring*. Raises UnreadableEvent.
        """
        parts = list(self.parts_of(publish_events([event], self.deciders, keyring)))
        for part in parts:
            if part.unreadable is not None:
                raise UnreadableEvent(part.unreadable)
        return [Message(str(part.event_id), _encode(part)) for part in parts]

    def find_next(
        self, connection: psycopg.Connection[Any], event: RecordedEvent, up_to: int
    ) -> RecordedEvent | None:
        """Return the next event of the same stream up to a position, or None."""
        version = event.version
        while True:
            later = read_stream(connection, event.stream_id, after=version, limit=BATCH)
            for one in later:
                if one.position > up_to:
                    return None
                if self.fits(one):
                    return one
            if len(later) < BATCH:
                return None
            version = later[-1].version


def find_unknown(wanted: EventFilter, deciders: Deciders) -> list[str]:
    """
    Return what a filter names and the shop has not, as words; nothing if all is there.

    A type that was renamed is unknown: its events are upcast to the new name, and none
    would ever fit.
    """
    known = known_types(deciders)
    unknown = [f"event {one}" for one in sorted((wanted.types or known) - known)]
    if wanted.category is not None and wanted.category not in deciders.by_category:
        unknown.append(f"category {wanted.category}")
    return unknown


def known_types(deciders: Deciders) -> frozenset[str]:
    """Return the present types of events."""
    return frozenset(
        kind.__name__ for one in deciders.all for kind in one.events.classes
    )


def find_at(connection: psycopg.Connection[Any], position: int) -> RecordedEvent | None:
    """Return the event at a position, or None."""
    found = read_all(connection, after=position - 1, up_to=position, limit=1)
    return found[0] if found else None

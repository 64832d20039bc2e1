"""Subscribers: a stream of events, or a request that waits for an event or a row."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from eventstore.projections.changes import NewestChange
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.event_feed import EventFilter, format_cursor
from tasks.shop.permissions import PERSONAL
from tasks.shop.published_events import PublishedEvent
from webapp.feed.tally import STREAM, WAITING
from webapp.serving.hand_over import OpenAnswer, WaitingRequest

SECONDS_TO_ATTACH = 30.0
"""Seconds from admission until the server must have attached the answer."""
SECONDS_BETWEEN_SIGNS = 15.0
"""After such a pause a stream sends a comment: proxies close silent connections."""
MILLISECONDS_TO_RETRY = 1_000
MAX_UNSENT_BYTES = 256 * 1024
"""Unsent bytes of a stream above which nothing more is read for it."""

_encode = msgspec.json.Encoder().encode


@dataclass
class Delivery:
    """Events for all subscribers with one filter, and the cursors after them."""

    events: Sequence[PublishedEvent]
    cursors: Mapping[int, ForeignCheckpoint]

    @cached_property
    def end(self) -> ForeignCheckpoint:
        return self.cursors[self.events[-1].position]

    @cached_property
    def server_sent_events(self) -> bytes:
        """
        The blocks of a stream, as bytes.

        Of several events at one position only the last has the `id`: a subscriber that
        loses the connection between them gets all of them again.
        """
        positions = [event.position for event in self.events]
        parts = []
        for event, following in zip(self.events, [*positions[1:], None], strict=True):
            if event.position != following:
                cursor = format_cursor(self.cursors[event.position])
                parts.append(f"id: {cursor}\n".encode())
            parts.append(b"data: %b\n\n" % _encode(event))
        return b"".join(parts)


@dataclass(kw_only=True, eq=False)
class Subscriber:
    """
    A subscriber, and whether it may see personal fields.

    *token* is looked up regularly; None is for a local one, which needs none.
    """

    sees_personal: bool
    token: str | None = field(repr=False)
    kind: int
    admitted_at: float = field(default_factory=time.monotonic)
    answer: OpenAnswer | WaitingRequest | None = None

    @property
    def wants_permissions(self) -> frozenset[str]:
        """The permissions that it needs to continue."""
        personal = (PERSONAL,) if self.sees_personal else ()
        return frozenset(("events.read", *personal))

    @property
    def is_gone(self) -> bool:
        if self.answer is None:
            return time.monotonic() > self.admitted_at + SECONDS_TO_ATTACH
        return not self.answer.is_open

    @property
    def is_ready(self) -> bool:
        """Whether it can take more events."""
        return self.answer is not None

    def tend(self, now: float) -> None:
        """Do what is due at the time *now*."""

    def end(self) -> None:
        """End it: it may reconnect, and gets the problem then if it is forbidden."""
        raise NotImplementedError


@dataclass(kw_only=True, eq=False)
class EventSubscriber(Subscriber):
    """A subscriber of events, with its cursor and its filter."""

    cursor: ForeignCheckpoint
    wanted: EventFilter

    def deliver(self, delivery: Delivery) -> None:
        """Take the next events of its filter, which are after its cursor."""
        raise NotImplementedError


@dataclass(kw_only=True, eq=False)
class StreamSubscriber(EventSubscriber):
    """A stream of server-sent events, as `EventSource` in a browser reads them."""

    kind: int = STREAM
    answer: OpenAnswer | None = None
    told_cursor: ForeignCheckpoint | None = None
    told_at: float = 0.0

    def attach(self, answer: OpenAnswer) -> None:
        answer.push(f"retry: {MILLISECONDS_TO_RETRY}\n: events follow\n\n".encode())
        self.told_at, self.told_cursor = time.monotonic(), self.cursor
        self.answer = answer

    @property
    def is_ready(self) -> bool:
        return self.answer is not None and self.answer.unsent < MAX_UNSENT_BYTES

    def deliver(self, delivery: Delivery) -> None:
        if self.answer is not None and delivery.events:
            self.answer.push(delivery.server_sent_events)
            self.told_at, self.told_cursor = time.monotonic(), delivery.end

    def tend(self, now: float) -> None:
        if self.answer is None or now < self.told_at + SECONDS_BETWEEN_SIGNS:
            return
        sign = b": alive\n\n"
        if self.cursor != self.told_cursor:
            # Other events were skipped, and need not be read again.
            sign = f"id: {format_cursor(self.cursor)}\n\n".encode()
        self.told_at, self.told_cursor = now, self.cursor
        # A stream that takes nothing gets no comment, and is closed in the end.
        if self.is_ready:
            self.answer.push(sign)

    def end(self) -> None:
        if self.answer is not None:
            self.answer.finish()


@dataclass(kw_only=True, eq=False)
class WaitingSubscriber(Subscriber):
    """A request for an empty last page, which waits for what is new."""

    kind: int = WAITING
    until: float
    has_news: bool = False
    answer: WaitingRequest | None = None

    def attach(self, answer: WaitingRequest) -> None:
        self.answer = answer

    @property
    def is_due(self) -> bool:
        """Whether it must be answered now."""
        return self.has_news or time.monotonic() > self.until

    def end(self) -> None:
        if self.answer is not None:
            self.answer.resume()


@dataclass(kw_only=True, eq=False)
class EventWaiter(WaitingSubscriber, EventSubscriber):
    """A request that waits for an event."""

    def deliver(self, delivery: Delivery) -> None:
        self.has_news = self.has_news or bool(delivery.events)


@dataclass(kw_only=True, eq=False)
class RowWaiter(WaitingSubscriber):
    """A request that waits for a change of a read model's rows after *seen*."""

    read_model: str
    seen: NewestChange

"""
A channel: the deliveries of one webhook, from one turn to the next.

In each turn it takes note of what its threads have done, takes up further events,
stores how far it is, and only then hands the events to the threads. So the sender that
goes on after a crash finds each event that may have been under way, and sends no other
one twice.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import psycopg

from eventstore.encryption.keys import WrappedKey
from eventstore.errors import CheckpointNotInLog
from eventstore.errors.unreadable import WrongMasterKey
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop
from tasks.webhooks.attempts import Attempt, Result, carry_out
from tasks.webhooks.intake import Intake
from tasks.webhooks.open_stream import OpenStream, open_at
from tasks.webhooks.preparing import prepare
from tasks.webhooks.progress import Progress, save_progress, stop_unchanged
from tasks.webhooks.registry import Webhook
from tasks.webhooks.restoring import (
    CannotGoOn,
    describe,
    find_places,
    place_before,
    refuse_unknown,
)
from tasks.webhooks.selection import Selection

MAX_OPEN_STREAMS = 8
"""
Streams of one webhook that are delivered at a time, one event of each.

Those that wait for another attempt count: a receiver that is away gets no more.
"""
SECONDS_BETWEEN_PLACES = 1.0
"""From one update that only passes over unwanted events to the next."""
SECONDS_BETWEEN_COUNTS = 15.0
"""From one update to the next while an attempt waits: what a kill adds to a pause."""

log = logger_of(__name__)

Results = SimpleQueue[tuple["Channel", Result]]


@dataclass(eq=False)
class Channel:
    """
    The deliveries of one webhook.

    All events up to *cursor* are delivered, unwanted, or belong to *streams*. Of one
    that *is_gone* nothing is sent or stored any more, but its requests may still be
    under way: no other channel of the webhook is opened before they have ended.
    """

    shop: Shop
    webhook: Webhook
    progress: Progress
    secrets: list[WrappedKey]
    results: Results
    streams: dict[str, OpenStream] = field(default_factory=dict)
    arrived: list[Result] = field(default_factory=list)
    saved_at: float = 0.0
    is_changed: bool = False
    is_gone: bool = False
    stopped_because: str | None = None
    last_answer: str | None = None

    def __post_init__(self) -> None:
        wanted = self.webhook.wanted
        self.intake = Intake(self.shop.deciders, wanted, self.progress.cursor)
        self.outcomes = dict(self.progress.outcomes)
        self.selection = Selection(wanted, self.shop.deciders)
        self.threads = ThreadPoolExecutor(MAX_OPEN_STREAMS, self.webhook.name)

    @property
    def name(self) -> str:
        return self.webhook.name

    @property
    def cursor(self) -> ForeignCheckpoint:
        return self.intake.cursor

    @property
    def is_sending(self) -> bool:
        is_ours = self.progress.state == "active" and not self.is_gone
        return is_ours and self.stopped_because is None

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return not any(one.is_under_way for one in self.streams.values())

    def next_due(self) -> float:
        """Return the time of the next attempt, by the monotonic clock."""
        waiting = [s.due_at for s in self.streams.values() if not s.is_under_way]
        return min(waiting, default=float("inf")) if self.is_sending else float("inf")

    def needs_turn(self, goal: int, now: float) -> bool:
        return (
            bool(self.arrived)
            or self.stopped_because is not None
            or now >= self.next_due()
            or self.has_more(goal)
            or (self.is_changed and now > self.saved_at + SECONDS_BETWEEN_PLACES)
            or self.has_uncounted(now)
        )

    def has_uncounted(self, now: float) -> bool:
        """Return whether a pause is under way of which nothing is stored for long."""
        is_late = now > self.saved_at + SECONDS_BETWEEN_COUNTS
        return is_late and now < self.next_due() < float("inf")

    def has_more(self, goal: int) -> bool:
        """Return whether there is something to take up, and room for it."""
        has_room = len(self.streams) < MAX_OPEN_STREAMS
        return self.is_sending and has_room and self.intake.has_more(goal)

    def turn(self, connection: psycopg.Connection[Any], goal: int) -> None:
        """
        Do what is to be done, without waiting for a receiver.

        *connection* is in autocommit, and *goal* is what is settled. Raises the
        driver's errors.
        """
        if self.is_gone:
            self.note_ends()
            return
        must_save = bool(self.arrived)
        try:
            self.settle(connection)
            if self.has_more(goal):
                self.take_up(connection, goal)
        except CheckpointNotInLog:
            places = [one.event.position for one in self.streams.values()]
            place = self.cursor.position
            what = f"the log has not the event at {place} that was sent last"
            self.stop(describe(what, self.name, place_before(place, places)))
        must_stop = self.stopped_because is not None and self.is_idle
        now = time.monotonic()
        is_due = now > self.saved_at + SECONDS_BETWEEN_PLACES
        # Before each request, also one that is sent again: an operator may have paused
        # the webhook since.
        must_save |= now >= self.next_due() or self.has_uncounted(now)
        if must_save or must_stop or (self.is_changed and is_due):
            self.save(connection, is_last=must_stop)
        if self.is_sending:
            self.send(connection)

    def restore(self, connection: psycopg.Connection[Any]) -> None:
        """Open the streams that were being delivered when the progress was stored."""
        try:
            places = find_places(connection, self.progress)
            refuse_unknown(self.webhook.wanted, self.shop.deciders, places)
        except CannotGoOn as error:
            self.break_off(connection, str(error))
            return
        self.intake.cursor = self.intake.passed = places.cursor
        self.is_changed = places.cursor != self.progress.cursor
        for event, stored in places.events:
            stored.position = event.position
            opened = OpenStream(event, True, stored)
            self.streams[stored.stream] = opened
            if stored.is_skipped:
                self.finish(connection, opened)
                self.is_changed = True

    def note_ends(self) -> None:
        """Note that requests have ended, and not how."""
        while self.arrived:
            self.streams[self.arrived.pop().stream].is_under_way = False

    def settle(self, connection: psycopg.Connection[Any]) -> None:
        """Take note of what the threads have done."""
        while self.arrived:
            result = self.arrived.pop()
            answer, opened = result.answer, self.streams[result.stream]
            opened.is_under_way = False
            self.outcomes[answer.outcome] = self.outcomes.get(answer.outcome, 0) + 1
            self.last_answer = answer.text
            self.is_changed = True
            if answer.is_delivered:
                self.finish(connection, opened)
            else:
                self.note_failure(opened, result)

    def finish(self, connection: psycopg.Connection[Any], opened: OpenStream) -> None:
        """Go on with the next event of a stream, if one was passed already."""
        stream, event = opened.event.stream_id, opened.event
        del self.streams[stream]
        if opened.has_more:
            up_to = self.cursor.position
            later = self.selection.find_next(connection, event, up_to)
            if later is not None:
                self.streams[stream] = open_at(later, has_more=True)

    def note_failure(self, opened: OpenStream, result: Result) -> None:
        opened.note_failure(result)
        event, answer = opened.event, result.answer
        log.warning(
            "webhook failed",
            webhook=self.name,
            stream=event.stream_id,
            position=event.position,
            outcome=answer.outcome,
            answer=answer.text,
            tries=opened.progress.tries,
            seconds=round(result.seconds, 3),
        )
        if answer.outcome == "gone":
            self.stop(f"the receiver wants no more: {answer.text}")
        elif opened.is_over:
            self.stop(
                f"event {event.position} of {event.stream_id} failed"
                f" {opened.progress.tries} times over an hour: {answer.text}"
            )

    def stop(self, because: str) -> None:
        """Send nothing more; it is stored once no request is under way."""
        if self.stopped_because is None:
            self.stopped_because = because
            log.error("webhook stopped", webhook=self.name, because=because)

    def break_off(self, connection: psycopg.Connection[Any], because: str) -> None:
        """Stop at once, at the progress that was stored last."""
        log.error("webhook stopped", webhook=self.name, because=because)
        stop_unchanged(connection, self.progress, because)
        self.is_gone = True

    def take_up(self, connection: psycopg.Connection[Any], goal: int) -> None:
        """Take up events behind the cursor, of one page at most."""
        self.intake.read(connection, goal)
        while self.intake.ahead and len(self.streams) < MAX_OPEN_STREAMS:
            event = self.intake.take()
            known = self.streams.get(event.stream_id)
            if known is not None:
                known.has_more = True
            elif self.selection.fits(event):
                self.streams[event.stream_id] = open_at(event, has_more=False)
        self.is_changed |= self.cursor != self.progress.cursor

    def save(self, connection: psycopg.Connection[Any], *, is_last: bool) -> None:
        """Store the progress; find out whether the webhook is still ours."""
        place, now = self.cursor, time.monotonic()
        for one in self.streams.values():
            one.count_pause(now)
        self.progress = self.progress._replace(
            position=place.position,
            event_id=place.event_id,
            streams=[one.progress for one in self.streams.values()],
            outcomes=self.outcomes,
        )
        state = save_progress(
            connection,
            self.progress,
            last_answer=self.last_answer,
            stopped_because=self.stopped_because if is_last else None,
        )
        self.is_gone = is_last or state is None
        if state == "paused":
            self.progress = self.progress._replace(state=state)
        self.is_changed, self.last_answer = False, None
        self.saved_at = now

    def send(self, connection: psycopg.Connection[Any]) -> None:
        """Hand what is due to the threads."""
        now = time.monotonic()
        due = [one for one in self.streams.values() if one.is_due(now)]
        if not due:
            return
        try:
            prepared = prepare(
                connection, self.shop, self.webhook, self.selection, self.secrets
            )
        except WrongMasterKey as error:
            self.stop(f"its secret cannot be read: {error}")
            return
        for opened in due:
            made = prepared.attempt(opened)
            if isinstance(made, Result):
                self.results.put((self, made))
            else:
                self.threads.submit(self.carry_out, made)
            opened.is_under_way = True

    def carry_out(self, attempt: Attempt) -> None:
        """Send, in a thread, and report."""
        self.results.put((self, carry_out(attempt)))

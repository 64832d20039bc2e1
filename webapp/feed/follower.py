"""
The thread of a process that reads the log for all its subscribers.

It reads once for all at the same position, such as those that have caught up: once in
0.25 seconds, for any number of subscribers, and never without any. It asks the counters
of changes as often, for requests that wait for rows.
"""

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from eventstore.errors import CheckpointNotInLog
from eventstore.log.read import settled
from eventstore.personal.keyring import Keyring
from eventstore.projections.changes import find_newest
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.event_feed import ALL, EventFilter, RecordedPage, cursor_at, read_page
from tasks.shop.published_events import PublishedEvent, publish_events
from tasks.shop.wiring import Shop
from webapp.feed.credentials import find_permissions
from webapp.feed.subscribers import (
    Delivery,
    EventSubscriber,
    RowWaiter,
    Subscriber,
    WaitingSubscriber,
)
from webapp.feed.tally import FollowerTally
from webapp.outages import DATABASE_ERRORS

SECONDS_BETWEEN_LOOKS = 0.25
SECONDS_BETWEEN_CHECKS = 20.0
"""The time after which tokens are looked up again: a revoked one ends its streams."""
SECONDS_AFTER_ERROR = 1.0
BATCH = 250
"""Events read at once: meanwhile the pages of this process wait."""
BATCH_BYTES = 256 * 1024
MAX_PAUSE = 0.05
MAX_RESUMED = 8
"""Waiting requests resumed together: each queries the database, as pages do."""

log = logging.getLogger(__name__)


class Group(NamedTuple):
    """
    Subscribers served by the same read, all at one position.

    Those that have caught up share a read of all events; those behind share one with
    subscribers that have the same filter *wanted*.
    """

    cursor: ForeignCheckpoint
    wanted: EventFilter


@dataclass
class Follower:
    """The subscribers of this process, and the thread that serves them."""

    tally: FollowerTally = field(default_factory=FollowerTally)
    subscribers: set[Subscriber] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    woken: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    end_of_log: ForeignCheckpoint | None = None
    settled: int = -1
    """The position up to which the caught-up subscribers have been served."""
    checked_at: float = 0.0
    has_failed: bool = False

    def admit(self, shop: Shop, subscriber: Subscriber) -> bool:
        """
        Add a subscriber; return False if the shop has the maximum already.

        It is removed if the server does not attach its answer in time.
        """
        with self.lock:
            if not self.tally.take(subscriber.kind):
                return False
            self.subscribers.add(subscriber)
            if self.thread is None:
                self.checked_at = time.monotonic()
                self.thread = threading.Thread(
                    target=self.run, args=(shop,), name="follower", daemon=True
                )
                self.thread.start()
        self.woken.set()
        return True

    def run(self, shop: Shop) -> None:
        """Serve until there is no subscriber."""
        while self.drop_who_is_gone():
            has_more = False
            try:
                has_more = self.serve(shop)
                self.has_failed = False
            except Exception as error:
                self.note_failure(error)
            if self.tend():
                time.sleep(MAX_PAUSE)
            elif not has_more:
                self.woken.wait(
                    SECONDS_AFTER_ERROR if self.has_failed else SECONDS_BETWEEN_LOOKS
                )
                self.woken.clear()

    def note_failure(self, error: Exception) -> None:
        """Log an outage of the feed once; it is retried."""
        if not self.has_failed:
            kind = type(error).__name__
            is_outage = isinstance(error, DATABASE_ERRORS)
            log.error(
                "who follows the log waits error=%s", kind, exc_info=not is_outage
            )
        self.has_failed = True

    def drop_who_is_gone(self) -> bool:
        """Remove subscribers that have left; return False, and end, if none is left."""
        with self.lock:
            for subscriber in [one for one in self.subscribers if one.is_gone]:
                self.drop(subscriber)
            if not self.subscribers:
                self.thread = None
                return False
        self.tally.note_alive()
        return True

    def drop(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        self.tally.give_back(subscriber.kind)

    def those_ready(self) -> Sequence[Subscriber]:
        with self.lock:
            return [one for one in self.subscribers if one.is_ready]

    def tend(self) -> bool:
        """Do what is due; return whether some of it is left for the next time."""
        now, due = time.monotonic(), []
        for subscriber in self.those_ready():
            subscriber.tend(now)
            if isinstance(subscriber, WaitingSubscriber) and subscriber.is_due:
                due.append(subscriber)
        for subscriber in due[:MAX_RESUMED]:
            subscriber.end()
        return len(due) > MAX_RESUMED

    def serve(self, shop: Shop) -> bool:
        """Read once for each group; return whether a group has more to read."""
        with shop.lent() as connection:
            self.check_tokens(connection)
            ready = self.those_ready()
            note_changed_rows(
                connection, [one for one in ready if isinstance(one, RowWaiter)]
            )
            readers = [one for one in ready if isinstance(one, EventSubscriber)]
            if not readers:
                return False
            # One goal for all, so that those who reach it are at the same position.
            goal = settled(connection)
            has_more = False
            for group, members in self.groups(readers, goal).items():
                has_more = self.serve_group(shop, connection, group, members, goal) or (
                    has_more
                )
        return has_more

    def groups(
        self, readers: Sequence[EventSubscriber], goal: int
    ) -> dict[Group, list[EventSubscriber]]:
        """Return the subscribers before *goal*, by group."""
        found: dict[Group, list[EventSubscriber]] = defaultdict(list)
        for subscriber in readers:
            is_at_end = subscriber.cursor == self.end_of_log
            if not (is_at_end and goal == self.settled):
                wanted = ALL if is_at_end else subscriber.wanted
                found[Group(subscriber.cursor, wanted)].append(subscriber)
        return found

    def serve_group(
        self,
        shop: Shop,
        connection: psycopg.Connection[Any],
        group: Group,
        members: Sequence[EventSubscriber],
        goal: int,
    ) -> bool:
        """Read a page for a group; return whether there is another page."""
        began = time.monotonic()
        try:
            page = self.read(shop, connection, group, members, goal)
        except CheckpointNotInLog:
            # The log was replaced: they get that problem when they reconnect.
            for member in members:
                member.end()
            return False
        if page.is_last:
            self.end_of_log, self.settled = page.cursor, goal
        else:
            # Pause for as long as it took, for the pages of this process.
            time.sleep(min(time.monotonic() - began, MAX_PAUSE))
        return not page.is_last

    def read(
        self,
        shop: Shop,
        connection: psycopg.Connection[Any],
        group: Group,
        members: Sequence[EventSubscriber],
        goal: int,
    ) -> RecordedPage:
        """Read one page for the *members* of a group, and deliver by filter."""
        page = read_page(
            connection,
            group.cursor,
            group.wanted,
            shop.deciders,
            limit=BATCH,
            max_bytes=BATCH_BYTES,
            up_to=goal,
        )
        cursors = {event.position: cursor_at(event) for event in page.events}
        for sees_personal in {member.sees_personal for member in members}:
            keyring = None
            if sees_personal:
                keyring = Keyring(connection, shop.deciders.masters)
            published = list(publish_events(page.events, shop.deciders, keyring))
            those = [one for one in members if one.sees_personal == sees_personal]
            deliver(those, published, cursors)
        for member in members:
            member.cursor = page.cursor
        return page

    def check_tokens(self, connection: psycopg.Connection[Any]) -> None:
        """End subscribers whose permissions no longer suffice."""
        if time.monotonic() < self.checked_at + SECONDS_BETWEEN_CHECKS:
            return
        self.checked_at = time.monotonic()
        with self.lock:
            followers = list(self.subscribers)
        for token in {one.token for one in followers}:
            permissions = find_permissions(connection, token)
            for one in followers:
                wants = (
                    {"events.read", "personal"}
                    if one.sees_personal
                    else {"events.read"}
                )
                if one.token == token and not wants <= permissions:
                    one.end()


def note_changed_rows(
    connection: psycopg.Connection[Any], waiting: Sequence[RowWaiter]
) -> None:
    """Note of those who wait for rows whether there are others than they have seen."""
    if not waiting:
        return
    newest = find_newest(connection, {one.read_model for one in waiting})
    for one in waiting:
        one.has_news = newest.get(one.read_model) != one.seen


def deliver(
    members: Sequence[EventSubscriber],
    published: Sequence[PublishedEvent],
    cursors: Mapping[int, ForeignCheckpoint],
) -> None:
    by_wish: dict[EventFilter, Delivery] = {}
    for member in members:
        wanted = member.wanted
        if wanted not in by_wish:
            fitting = [event for event in published if wanted.fits(event)]
            by_wish[wanted] = Delivery(fitting, cursors)
        member.deliver(by_wish[wanted])

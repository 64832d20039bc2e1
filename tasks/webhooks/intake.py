"""The events behind a webhook's cursor, read from the log page by page."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.log.events import RecordedEvent
from eventstore.subscriptions.external_store import ForeignCheckpoint
from tasks.shop.event_feed import EventFilter, cursor_at, read_page

BATCH = 250
BATCH_BYTES = 256 * 1024


@dataclass
class Intake:
    """
    What a webhook has to take up next.

    All events up to *cursor* were taken up; *ahead* are those behind it that were read.
    *passed* is the cursor behind all of them, and *goal* the position up to which the
    log was read to its end.
    """

    deciders: Deciders
    wanted: EventFilter
    cursor: ForeignCheckpoint
    passed: ForeignCheckpoint = field(init=False)
    ahead: deque[RecordedEvent] = field(default_factory=deque)
    goal: int = -1

    def __post_init__(self) -> None:
        self.passed = self.cursor

    def has_more(self, goal: int) -> bool:
        """Return whether there may be something to take up, up to *goal*."""
        return bool(self.ahead or goal != self.goal)

    def read(self, connection: psycopg.Connection[Any], goal: int) -> None:
        """
        Read a page if none is left; it may be empty.

        *connection* is in autocommit. Raises CheckpointNotInLog.
        """
        if self.ahead:
            return
        page = read_page(
            connection,
            self.cursor,
            self.wanted,
            self.deciders,
            limit=BATCH,
            max_bytes=BATCH_BYTES,
            up_to=goal,
        )
        self.ahead.extend(page.events)
        self.passed = page.cursor
        if page.is_last:
            self.goal = goal
        if not self.ahead:
            self.cursor = self.passed

    def take(self) -> RecordedEvent:
        """Take up the next event that was read; there is one."""
        event = self.ahead.popleft()
        self.cursor = cursor_at(event) if self.ahead else self.passed
        return event

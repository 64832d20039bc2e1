"""
Find whether a reader of the log is stopped, since when, and why.

The code that shows rows looks only at the tables: a reader that was stopped, that no
process runs or that may not write cannot report itself. So any cause is detected: the
reader is behind and has not moved. A stored error is the reason.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from eventstore.subscriptions.idle_reasons import find_idle_reason
from eventstore.subscriptions.stop_reasons import CHECKPOINT, EVENT

AFTER = timedelta(seconds=5)
"""A reader that has something to read for so long, and has not moved, stands still."""
STEP = timedelta(seconds=1)
"""A moment that is so far in the future was told by a clock that was set back since."""
SELDOM = {"seals": timedelta(minutes=10), "snapshots": timedelta(minutes=10)}
"""Time until a standstill is reported, for subscriptions that run only at intervals."""

IDLE = "idle"
MISSING = "missing"
OUTDATED = "outdated"

COLUMNS = """
    s.checkpoint, s.stopped_at_position, s.error, s.stopped_since, s.moved_at,
    clock_timestamp(),
    coalesce(
        public.checkpoint_fault(s.checkpoint, s.event_id),
        (
            SELECT public.checkpoint_fault(p.acted_up_to, p.event_id)
            FROM public.process_managers AS p WHERE p.name = s.name
        )
    ),
    (
        SELECT coalesce(e.metadata ->> 'recorded_at', '')
        FROM public.events AS e WHERE e.id > s.checkpoint ORDER BY e.id LIMIT 1
    ),
    s.name, nullif(s.next_try_at, '-infinity')
"""
"""What a `Place` is made of, of `public.subscriptions AS s`."""


class Standstill(NamedTuple):
    """
    A reader of the log stands still; *since* is None where nobody knows since when.

    *because* is a word, one of those in `docs/operations.md`, such as `code` or `idle`.
    *holder* names the session that holds its checkpoint, if another one does.
    *next_try_at* is when it is tried again, if it is set apart until then.
    """

    since: datetime | None
    because: str
    holder: str | None = None
    next_try_at: datetime | None = None


class Place(NamedTuple):
    """
    A row of `subscriptions`.

    *next_at* is when the event that it has to read next was recorded: None if it has
    read all, a text without a time if that event has none.
    """

    checkpoint: int
    stopped_at: int | None
    error: Mapping[str, Any] | None
    stopped_since: datetime | None
    moved_at: datetime
    now: datetime
    fault: str | None
    next_at: str | None
    name: str
    next_try_at: datetime | None

    @property
    def unread_since(self) -> datetime | None:
        """Return when the oldest unread event was recorded; None if unknown or none."""
        return None if self.next_at is None else read_moment(self.next_at)

    @property
    def seconds_behind(self) -> float | None:
        """
        Return the age of the oldest unread event in seconds, 0 if all are read.

        None if it is unknown: the event has no time, or the clock was set back since.
        """
        if self.next_at is None:
            return 0.0
        if self.unread_since is None or self.unread_since > self.now + STEP:
            return None
        return max((self.now - self.unread_since).total_seconds(), 0.0)

    def standstill(self, after: timedelta | None = None) -> Standstill | None:
        """Return whether it stands still: at once by an error, else *after* so long."""
        if self.fault is not None:
            return Standstill(self.stopped_since, CHECKPOINT)
        if self.error is not None or self.stopped_at is not None:
            kind = str((self.error or {}).get("kind", EVENT))
            since = self.stopped_since or self.moved_at
            return Standstill(since, kind, next_try_at=self.next_try_at)
        if self.next_at is None:
            return None
        known = [self.moved_at, read_moment(self.next_at)]
        moments = [at for at in known if at is not None]
        past = [at for at in moments if at <= self.now]
        if not past:
            # Both are of a clock that was set back since. By how much is unknown, so
            # it is not waited until the clock is there again.
            is_set_back = min(moments) > self.now + STEP
            return Standstill(None, IDLE) if is_set_back else None
        if self.now - max(past) < (after or AFTER):
            return None
        return Standstill(max(past), IDLE)


def read_moment(text: str) -> datetime | None:
    """Return the moment that an event has in its metadata; None where it has none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def explain(
    connection: psycopg.Connection[Any], place: Place, standstill: Standstill | None
) -> Standstill | None:
    """Return *standstill*; if it is idle, with the reason that the database knows."""
    if standstill is None or standstill.because != IDLE:
        return standstill
    reason = find_idle_reason(connection, place.name, place.checkpoint)
    if reason is None:
        return standstill
    return standstill._replace(because=reason.because, holder=reason.holder)

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

from eventstore.subscriptions.stop_reasons import CHECKPOINT, EVENT

AFTER = timedelta(seconds=5)
"""A reader that has something to read for so long, and has not moved, stands still."""
SELDOM = {"seals": timedelta(minutes=10), "snapshots": timedelta(minutes=10)}
"""Time until a standstill is reported, for subscriptions that run only at intervals."""

IDLE = "idle"
HELD_BACK = "held back"
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
    )
"""
"""What a `Place` is made of, of `public.subscriptions AS s`."""


class Standstill(NamedTuple):
    """
    A reader of the log stands still; *since* is None where nobody knows since when.

    *because* is a word, one of those in `docs/operations.md`, such as `code` or `idle`.
    """

    since: datetime | None
    because: str


class Place(NamedTuple):
    """A row of `subscriptions`; *next_at* is when what it has to read next came in."""

    checkpoint: int
    stopped_at: int | None
    error: Mapping[str, Any] | None
    stopped_since: datetime | None
    moved_at: datetime
    now: datetime
    fault: str | None
    next_at: str | None

    def standstill(self, after: timedelta | None = None) -> Standstill | None:
        """Return whether it stands still: at once by an error, else *after* so long."""
        if self.fault is not None:
            return Standstill(self.stopped_since, CHECKPOINT)
        if self.error is not None or self.stopped_at is not None:
            kind = str((self.error or {}).get("kind", EVENT))
            return Standstill(self.stopped_since or self.moved_at, kind)
        if self.next_at is None:
            return None
        # A moment of a clock that was ahead tells nothing.
        moments = [self.moved_at, read_moment(self.next_at)]
        past = [at for at in moments if at is not None and at <= self.now]
        if not past or self.now - max(past) < (after or AFTER):
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
    """Return *standstill*, and whether a writer holds back a reader that is idle."""
    if standstill is None or standstill.because != IDLE:
        return standstill
    row = connection.execute("SELECT public.settled() <= %s", (place.checkpoint,))
    is_held_back = row.fetchone() == (True,)
    return standstill._replace(because=HELD_BACK) if is_held_back else standstill

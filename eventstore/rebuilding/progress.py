"""How far a filling is, and how long it will take."""

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import psycopg

from eventstore.projections.projection import Projection

Phase = Literal["filling", "comparing", "indexing", "swapping", "filled"]

SLICES = 256
"""Parts of the log in which the events are counted, so that they may lie unevenly."""
SHARE_AFTER = 0.12
"""Of the seconds of a filling, what comes after it takes, where nobody has measured."""


class Progress(NamedTuple):
    """
    How far a rebuild is.

    *done* of *total* events are read; *seconds_left* is an estimate to the end of the
    rebuild, None as long as there is none.
    """

    phase: Phase
    done: int
    total: int
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class EventCounts:
    """How many events of a read model's types the log has, up to a position."""

    positions: Sequence[int]
    counts: Sequence[int]

    @property
    def total(self) -> int:
        return self.counts[-1]

    def up_to(self, position: float) -> float:
        """Return how many there are up to *position*, about."""
        place = bisect_left(self.positions, position)
        if place == 0:
            return 0.0
        if place == len(self.positions):
            return self.total
        start, end = self.positions[place - 1], self.positions[place]
        few, many = self.counts[place - 1], self.counts[place]
        return few + (many - few) * (position - start) / (end - start)


def count_events(
    connection: psycopg.Connection[Any], projection: Projection, up_to: int
) -> EventCounts:
    """Count the events that a read model reads up to a position; a scan of the log."""
    slices = max(min(SLICES, up_to), 1)
    rows = connection.execute(
        """
        SELECT (id - 1) * %s / %s, count(*) FROM public.events
        WHERE id <= %s AND type = ANY (%s) GROUP BY 1
        """,
        (slices, max(up_to, 1), up_to, list(projection.types)),
    )
    found = dict(rows.fetchall())
    positions, counts = [0], [0]
    for number in range(slices):
        positions.append((number + 1) * up_to // slices)
        counts.append(counts[-1] + found.get(number, 0))
    return EventCounts(positions, counts)


@dataclass
class Estimate:
    """
    The time that is left, by what was read since the beginning of this process.

    *share_after* is what comes after the filling, in parts of its seconds.
    """

    counts: EventCounts
    first: float
    share_after: float = SHARE_AFTER
    started: float = field(default_factory=time.monotonic)

    def progress(self, done: float) -> Progress:
        """Return the progress when *done* events are read."""
        total = self.counts.total
        elapsed = time.monotonic() - self.started
        left = None
        if done > self.first and elapsed > 0:
            rate = (done - self.first) / elapsed
            left = (total - done) / rate + self.share_after * total / rate
        return Progress("filling", min(round(done), total), total, left)

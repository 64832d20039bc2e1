"""
A moment of the past, and the events that belong to it: the one place that says so.

As of a position these are all events up to it. As of a time, a stream ends before its
first event that occurred later, since imported times need not rise; events behind the
position that was settled when the moment was asked for are not in it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from eventstore.errors import MomentAhead, NotSettled
from eventstore.log.events import RecordedEvent
from eventstore.log.read import SPAN, settled

BELONGS = """
    e.id <= %(up_to)s AND (%(at)s::timestamptz IS NULL OR (
        e.occurred_at <= %(at)s AND NOT EXISTS (
            SELECT FROM public.events AS x
            WHERE x.stream_id = e.stream_id AND x.version < e.version
                AND x.occurred_at > %(at)s
        )
    ))
"""
"""The SQL for the events `e` of a moment; it is for few events, `read` is for all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """
    A point of the past: *at* a time, or with None the position *up_to*.

    Of a time, *up_to* is the position up to which the log was settled when it was asked
    for.
    """

    up_to: int
    at: datetime | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the parameters that `BELONGS` names, by name."""
        return {"up_to": self.up_to, "at": self.at}


def resolve_moment(
    connection: psycopg.Connection[Any],
    *,
    at: datetime | None = None,
    position: int | None = None,
) -> Moment:
    """
    Return the moment of a time with a zone, or of a position, or with neither of now.

    *connection* is in autocommit, or in READ COMMITTED. Raises MomentAhead for a time
    after that of the database's clock, and NotSettled for a position where events may
    still come.
    """
    last = settled(connection)
    if position is not None:
        if position > last:
            raise NotSettled(position, last)
        return Moment(up_to=position)
    if at is not None:
        row = connection.execute("SELECT %s > clock_timestamp()", (at,)).fetchone()
        if row == (True,):
            raise MomentAhead(at)
    return Moment(up_to=last, at=at)


def has_events(
    connection: psycopg.Connection[Any],
    moment: Moment,
    types: Sequence[str],
    after: int,
) -> bool:
    """Return whether events of *types* behind the position *after* belong to it."""
    row = connection.execute(
        f"""
        SELECT EXISTS (
            SELECT FROM public.events AS e
            WHERE e.id > %(after)s AND e.type = ANY (%(types)s) AND {BELONGS}
        )
        """,
        {**moment.parameters, "after": after, "types": list(types)},
    ).fetchone()
    return row == (True,)


@dataclass(slots=True)
class MomentReader:
    """
    Reads the events of a moment from the beginning, or on from an earlier copy.

    All events are passed in the order of the log, so it is known of each stream whether
    it has ended: *ended* has the latest time that was met in such a stream, by its id.
    *position* is how far the log was read, *greatest* the last event that belongs to
    the moment. *next_at* is the first time to which one more event before *greatest*
    belongs, None if there is none; *has_ended* says that a stream ended before it.
    """

    connection: psycopg.Connection[Any]
    moment: Moment
    types: Sequence[str]
    position: int = 0
    greatest: int = 0
    next_at: datetime | None = None
    has_ended: bool = False
    ended: dict[str, datetime] = field(default_factory=dict)
    # Of events behind *greatest*.
    pending_at: datetime | None = None
    goal: int = 0

    def begin(self) -> None:
        """Find where the moment ends, and which streams ended before the beginning."""
        moment = self.moment
        self.goal = moment.up_to
        if moment.at is None:
            return
        # From the end: behind a time of the past all events are later ones, mostly.
        row = self.connection.execute(
            """
            SELECT id FROM public.events WHERE id <= %s AND occurred_at <= %s
            ORDER BY id DESC LIMIT 1
            """,
            (moment.up_to, moment.at),
        ).fetchone()
        self.goal = max(row[0] if row else 0, self.position)
        if self.has_ended:
            rows = self.connection.execute(
                """
                SELECT stream_id, max(occurred_at) FROM public.events
                WHERE id <= %s AND occurred_at > %s GROUP BY stream_id
                """,
                (self.position, moment.at),
            )
            self.ended = dict(rows.fetchall())

    def count_left(self) -> int:
        """Return how many events of the types are left to read, at most."""
        row = self.connection.execute(
            """
            SELECT count(*) FROM public.events
            WHERE id > %s AND id <= %s AND type = ANY (%s)
            """,
            (self.position, self.goal, list(self.types)),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def batches(self, limit: int) -> Iterator[list[RecordedEvent]]:
        """Yield the events of the moment in order, at most *limit* at a time."""
        while self.position < self.goal:
            reached = min(self.position + SPAN, self.goal)
            rows = self.ask(reached, limit)
            events = [event for event in map(self.keep, rows) if event is not None]
            self.position = rows[-1][0] if len(rows) == limit else reached
            yield events

    def ask(self, reached: int, limit: int) -> list[tuple[Any, ...]]:
        """Return events of the types, and of later ones their streams and times."""
        return self.connection.execute(
            """
            SELECT
                id, stream_id, type, version,
                CASE WHEN NOT is_late THEN data::text END,
                CASE WHEN NOT is_late THEN metadata::text END,
                occurred_at
            FROM (
                SELECT *, coalesce(occurred_at > %(at)s::timestamptz, false) AS is_late
                FROM public.events WHERE id > %(after)s AND id <= %(reached)s
            ) AS e
            WHERE is_late OR type = ANY (%(types)s)
            ORDER BY id LIMIT %(limit)s
            """,
            {
                "at": self.moment.at,
                "after": self.position,
                "reached": reached,
                "types": list(self.types),
                "limit": limit,
            },
        ).fetchall()

    def keep(self, row: tuple[Any, ...]) -> RecordedEvent | None:
        """Return the event if it belongs to the moment; else note from when it does."""
        position, stream_id, type_, *_, occurred_at = row
        is_late = row[4] is None
        if is_late or stream_id in self.ended:
            latest = max(self.ended.get(stream_id, occurred_at), occurred_at)
            self.ended[stream_id] = latest
            if type_ in self.types:
                self.pending_at = min(self.pending_at or latest, latest)
            return None
        if self.ended:
            self.has_ended = True
        if self.pending_at is not None:
            self.next_at = min(self.next_at or self.pending_at, self.pending_at)
            self.pending_at = None
        self.greatest = position
        return RecordedEvent(*row)

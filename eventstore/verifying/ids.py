"""The ids of events: each is computed from its command, and from its place there."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.ids import event_id_for, origin_of
from eventstore.log.limits import MAX_EVENTS
from eventstore.verifying.finding import Advance, Check, Finding, read_page
from eventstore.verifying.journal import last_position

NAME = "events' ids"
PAGE = 20_000
REMEMBERED = 10_000
"""Commands whose last event is remembered: those of one append stand together."""
CLOCK = timedelta(days=2)
"""A clock that was further ahead than that is no excuse."""

_PAGE = """
    SELECT
        e.id, e.stream_id, e.version, e.metadata ->> 'event_id',
        e.metadata ->> 'command_id', e.metadata ? 'source',
        e.metadata ->> 'recorded_at', c.id IS NOT NULL, c.metadata ->> 'pruning'
    FROM (
        SELECT * FROM public.events AS n
        WHERE n.id > %(after)s AND n.id <= %(last)s
        ORDER BY n.id
        LIMIT %(page)s
    ) AS e
    LEFT JOIN LATERAL (
        SELECT * FROM public.commands AS found
        WHERE found.id = CASE
            WHEN e.metadata ->> 'command_id'
                ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            THEN (e.metadata ->> 'command_id')::uuid
        END
        OFFSET 0
    ) AS c ON true
    ORDER BY e.id
"""

_PRUNINGS = "SELECT id, finished_before FROM public.prunings ORDER BY id"


class _Row(NamedTuple):
    position: int
    stream_id: str
    version: int
    event_id: str | None
    command_id: str | None
    is_imported: bool
    recorded_at: str | None
    is_in_journal: bool
    pruning: str | None


class Place(NamedTuple):
    """Which event of its command one is, and which part, where a copy has split it."""

    number: int
    part: int = 0


def ids_check() -> Check:
    return Check(name=NAME, length=last_position, find=find_wrong_ids)


def find_wrong_ids(
    connection: psycopg.Connection[Any], advance: Advance
) -> Iterator[Finding]:
    """
    Yield events whose id is not the one that their command gives them.

    And those that hide behind a pruning: of a command that is not there, as if it had
    been pruned, but behind events that were recorded long after that.
    """
    examiner = Examiner(connection.execute(_PRUNINGS).fetchall())
    after, last = 0, last_position(connection)
    while after < last:
        values = {"after": after, "last": last, "page": PAGE}
        rows = [_Row(*row) for row in read_page(connection, _PAGE, values)]
        if not rows:
            return
        for row in rows:
            what = examiner.fault_of(row)
            if what is not None:
                yield Finding(
                    check=NAME,
                    what=what,
                    position=row.position,
                    stream_id=row.stream_id,
                    version=row.version,
                    command_id=row.command_id,
                )
        advance(rows[-1].position - after)
        after = rows[-1].position


class Examiner:
    """What is known of the events so far: how far their commands are, and the time."""

    def __init__(self, prunings: Sequence[tuple[int, datetime]]) -> None:
        self.prunings = [number for number, _ in prunings]
        self.pruned_before = max((before for _, before in prunings), default=None)
        self.places: OrderedDict[UUID, Place] = OrderedDict()
        self.latest: datetime | None = None

    def fault_of(self, row: _Row) -> str | None:
        """Return the error of the next event, or None."""
        is_late = self.hides_behind_a_pruning(row)
        self.note_time(row)
        try:
            event_id = UUID(row.event_id or "")
            command_id = UUID(row.command_id) if row.command_id else None
        except ValueError:
            return "its ids are none"
        if row.is_imported:
            # Made of the source, or of the id that it had elsewhere.
            return None if event_id.version == 5 else "its id is not that of an import"
        if command_id is None:
            return "no command and no import is behind it"
        before = self.places.get(command_id)
        place = place_of(event_id, self.origins(row, command_id), before)
        if place is None:
            return "its id is not the one that its command gives it"
        if before is not None and place <= before:
            return "it is not in its place among the events of its command"
        self.places[command_id] = place
        self.places.move_to_end(command_id)
        if len(self.places) > REMEMBERED:
            self.places.popitem(last=False)
        if is_late:
            return "its command cannot have been pruned: older events stand behind it"
        return None

    def origins(self, row: _Row, command_id: UUID) -> list[UUID]:
        """Return what the ids of a command's events may be made of."""
        if not row.is_in_journal:
            known = [None, *self.prunings]
            return [origin_of(command_id, pruning) for pruning in known]
        with suppress(ValueError):
            return [origin_of(command_id, int(row.pruning) if row.pruning else None)]
        return []

    def hides_behind_a_pruning(self, row: _Row) -> bool:
        if row.is_in_journal or row.is_imported or row.command_id is None:
            return False
        recorded_at = time_of(row)
        if not (self.pruned_before and self.latest and recorded_at):
            return False
        is_before = recorded_at < self.pruned_before
        return is_before and self.latest > self.pruned_before + CLOCK

    def note_time(self, row: _Row) -> None:
        recorded_at = time_of(row)
        if recorded_at is not None:
            self.latest = max(self.latest or recorded_at, recorded_at)


def time_of(row: _Row) -> datetime | None:
    """Return when an event says that it was recorded; None where it does not."""
    with suppress(ValueError):
        return datetime.fromisoformat(row.recorded_at or "").astimezone(UTC)
    return None


def place_of(
    event_id: UUID, origins: Sequence[UUID], before: Place | None
) -> Place | None:
    """
    Return which event of its command one is, or None.

    *before* is the place of the one before it: nearly always it is the next. In a copy
    of the log one may be left out, or be in parts.
    """
    start = 0 if before is None else before.number + 1
    for origin in origins:
        if event_id == event_id_for(origin, start):
            return Place(start)
    for origin in origins:
        for index in range(MAX_EVENTS):
            if event_id == event_id_for(origin, index):
                return Place(index)
    for origin in origins:
        for index in range(start + 1):
            whole = event_id_for(origin, index)
            for part in range(1, MAX_EVENTS if index == start - 1 else 10):
                if event_id == event_id_for(whole, part):
                    return Place(index, part)
    return None

"""Copies every event of the log in its newest version, in the same order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS
from eventstore.personal.keyring import Keyring
from eventstore.rewriting.upcast import Change, EventRewriter

BATCH = 2_000
NEXT = "log_next"
"""The schema in which the new log is made; it is gone when the transaction ends."""

_COPY = f"""
    COPY {NEXT}.events
        (id, stream_id, type, version, data, metadata, occurred_at)
    FROM STDIN
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What happens to *count* events, in words, and the first of them."""

    what: str
    count: int
    position: int
    stream_id: str
    version: int


@dataclass(slots=True)
class Tally:
    """What becomes of the events of a log, counted by kind."""

    events: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, RecordedEvent] = field(default_factory=dict)

    def note(self, event: RecordedEvent, change: Change | None) -> None:
        self.events += 1
        if change is not None:
            self.counts[change.what] += 1
            self.firsts.setdefault(change.what, event)

    @property
    def changed(self) -> int:
        return self.counts.total()

    @property
    def kinds(self) -> list[Kind]:
        return [
            Kind(
                what=what,
                count=self.counts[what],
                position=first.position,
                stream_id=first.stream_id,
                version=first.version,
            )
            for what, first in self.firsts.items()
        ]


@dataclass(slots=True)
class Places:
    """
    The positions and versions of events in the new log.

    One that becomes one keeps its position and version. Where it becomes several, what
    is behind it moves on by as many; where it becomes none, a gap stays in the log, and
    what is behind it in its stream moves up.
    """

    moved: int = 0
    # Of the old positions: behind each, by how much those of the log have moved.
    moves: list[tuple[int, int]] = field(default_factory=list)
    # The new positions at which a gap stays.
    gone: list[int] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)

    def first_of(self, event: RecordedEvent) -> tuple[int, int]:
        """Return the position and version of the first event that *event* becomes."""
        version = event.version + self.versions.get(event.stream_id, 0)
        return event.position + self.moved, version

    def note(self, event: RecordedEvent, parts: int) -> None:
        """Take note that *event* became so many."""
        if parts == 1:
            return
        moved = self.versions.get(event.stream_id, 0) + parts - 1
        self.versions[event.stream_id] = moved
        if parts == 0:
            self.gone.append(event.position + self.moved)
            return
        self.moved += parts - 1
        self.moves.append((event.position, self.moved))

    @property
    def are_those_of_before(self) -> bool:
        return not self.versions


def read_changes(
    connection: psycopg.Connection[Any], deciders: Deciders
) -> Iterator[tuple[Sequence[RecordedEvent], Sequence[Change | None], Keyring]]:
    """Yield the log in batches, with what becomes of each event, and new keys."""
    for batch in read_log(connection, "public"):
        # A keyring for each batch, so that memory does not grow with the log.
        keyring = Keyring(connection, deciders.masters)
        yield batch, EventRewriter(deciders, keyring).changes(batch), keyring


def read_log(
    connection: psycopg.Connection[Any], schema: str
) -> Iterator[list[RecordedEvent]]:
    """Yield all events of the log in *schema*, in order, by one statement."""
    with closing(connection.cursor(name=f"log_of_{schema}")) as cursor:
        cursor.execute(f"SELECT {COLUMNS} FROM {schema}.events ORDER BY id")
        while rows := cursor.fetchmany(BATCH):
            yield [RecordedEvent(*row) for row in rows]


def copy_batch(
    connection: psycopg.Connection[Any],
    events: Sequence[RecordedEvent],
    changes: Sequence[Change | None],
    places: Places,
) -> None:
    """Write what *events* become into the new log."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for event, change in zip(events, changes, strict=True):
            position, version = places.first_of(event)
            if change is None:
                copy.write_row(event._replace(position=position, version=version))
                continue
            for index, part in enumerate(change.parts):
                copy.write_row(
                    (
                        position + index,
                        event.stream_id,
                        part.type,
                        version + index,
                        part.data,
                        part.metadata,
                        event.occurred_at,
                    )
                )
            places.note(event, len(change.parts))

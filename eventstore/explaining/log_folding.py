"""Fold the log into rows in memory, and note what each event makes of one row."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from eventstore.aggregates.as_of import AsOf, versions_as_of
from eventstore.encryption.keys import MasterKeys
from eventstore.log.events import RecordedEvent
from eventstore.log.read import BATCH, SPAN, read_all
from eventstore.personal.keyring import Keyring
from eventstore.projections.folding import Folding
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.recompute import without_tables
from eventstore.projections.tables import Tables
from eventstore.projections.turns import Turn, keys_to_look_up
from eventstore.steps import Steps


class RowVersion(NamedTuple):
    """
    A row as an event left it; *before* it, and *after* it, None where it is not there.

    Both may be equal: the event has written the same values once more.
    """

    event: RecordedEvent
    before: Row | None
    after: Row | None


class LogFolding(Folding):
    """A folding that keeps all rows in memory, from the first event of the log on."""

    def load_lookups(self, turns: Sequence[Turn], *, has_parked: bool) -> Steps[None]:
        """Ask for nothing: what is not in memory is not there."""
        if self.lookups.tables:
            # It notes the events that cannot be read to the end.
            keys_to_look_up(self.projection, turns)
        yield from ()

    def load_rows(self, turns: Iterable[Turn], *, has_parked: bool) -> Steps[None]:
        """Ask for nothing, as above."""
        yield from ()

    def fold_batch(self, events: Sequence[RecordedEvent]) -> None:
        """Fold the next events of the log; nothing of it is to be written."""
        self.ahead.clear()
        self.is_ahead = True
        without_tables(self.fold(events, {}, has_parked=False))
        self.rows.updates.clear()
        self.rows.changed.clear()
        for changed in self.lookups.changed.values():
            changed.clear()


class TracedFolding(LogFolding):
    """A folding that calls *note* with each version of the row *key*."""

    def __init__(
        self,
        projection: Projection,
        tables: Tables,
        parked: Mapping[str, int] | None = None,
        *,
        key: Key,
        note: Callable[[RowVersion], None],
    ) -> None:
        super().__init__(projection, tables, parked)
        self.key = key
        self.note = note

    def apply(self, turn: Turn) -> Exception | None:
        before = self.rows.by_key.get(self.key)
        error = super().apply(turn)
        self.note_if_changed(turn, before)
        return error

    def delete_subject(self, turn: Turn) -> Steps[None]:
        before = self.rows.by_key.get(self.key)
        yield from super().delete_subject(turn)
        self.note_if_changed(turn, before)

    def note_if_changed(self, turn: Turn, before: Row | None) -> None:
        after = self.rows.by_key.get(self.key)
        # By identity: a fold that has nothing to do returns the row itself.
        if after is not before:
            self.note(RowVersion(turn.event, before, after))


def fold_log(
    connection: psycopg.Connection[Any],
    folding: LogFolding,
    masters: MasterKeys | None,
    *,
    up_to: int,
    at: datetime | None = None,
    most: int | None = None,
    is_over: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda *_: None,
) -> tuple[int, bool]:
    """
    Fold the events of the projection's types, from the first one on.

    *up_to* is the position of the last, *at* a time as of which it is: each stream ends
    before its first event that occurred later. It ends early when *is_over*, or before
    more than *most* events are read. *told* is called with the position that is
    reached, and with the last one. Returns how many were folded, and whether it is all.
    """
    projection = folding.projection
    keyring = None if masters is None else Keyring(connection, masters)
    after = folded = read = 0
    while after < up_to:
        if is_over():
            return folded, False
        reached = min(after + SPAN, up_to)
        events = read_all(
            connection,
            after=after,
            up_to=reached,
            limit=BATCH,
            types=projection.types,
        )
        after = events[-1].position if len(events) == BATCH else reached
        # Before those of later are left out: reading is what takes long.
        read += len(events)
        if most is not None and read > most:
            return folded, False
        if at is not None and events:
            streams = {event.stream_id for event in events}
            ends = versions_as_of(connection, streams, AsOf(at=at))
            events = [e for e in events if e.version <= ends[e.stream_id]]
        if keyring is not None:
            opened = keyring.decrypt_readable(events, projection.codec.opens)
            events = list(opened)
        folding.fold_batch(events)
        folded += len(events)
        told(after, up_to)
    return folded, True

"""
Rows made once more from their streams, without the rest of the log.

Nothing is patched: an update that was passed over would overwrite what came after it.
All events of the streams that feed a row are folded from the first one on, in order, as
a rebuild would fold them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import psycopg

from eventstore.aggregates.as_of import AsOf, versions_as_of
from eventstore.encryption.keys import MasterKeys
from eventstore.errors import TooIntertwined
from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS
from eventstore.personal.keyring import Keyring
from eventstore.projections.failures import Failure
from eventstore.projections.folding import Folding
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.table import Table
from eventstore.projections.tables import Tables
from eventstore.projections.turns import keys_of, keys_to_look_up
from eventstore.steps import Answer, Statement, Steps

MAX_ROUNDS = 100
"""Rounds of looking for streams: each finds those that the last one has named."""


@dataclass(slots=True)
class RecomputedRows:
    """
    What the rows of some streams are: by key, None for one that is not there.

    *existing* are the rows that the table has of these streams, *lookups* are rows by
    the name of their look-up and key, *failures* the streams that could not be folded
    to the end, *folded* the number of events.
    """

    rows: dict[Key, Row | None] = field(default_factory=dict)
    existing: dict[Key, Row] = field(default_factory=dict)
    lookups: dict[str, dict[Key, Row | None]] = field(default_factory=dict)
    failures: Sequence[Failure] = ()
    folded: int = 0

    def written(self, tables: Tables) -> list[Statement]:
        """Return the statements that write them."""
        lookups = [
            statement
            for name, rows in self.lookups.items()
            for statement in tables.lookups[name].store(rows)
        ]
        return [*lookups, *tables.rows.store(self.rows)]


class Recomputation:
    """
    Folds streams alone, with what else feeds their rows, up to the position *up_to*.

    *at* is a time as of which it is: each stream ends before its first event that
    occurred later. *make_folding* makes what folds them, by the arguments of `Folding`.
    Raises TooIntertwined for more than *most* events.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        tables: Tables,
        masters: MasterKeys | None,
        up_to: int,
        most: int | None = None,
        *,
        at: datetime | None = None,
        make_folding: Callable[..., Folding] = Folding,
    ) -> None:
        self.connection = connection
        self.projection = projection
        self.tables = tables
        self.masters = masters
        self.up_to = up_to
        self.most = most
        self.at = at
        self.make_folding = make_folding
        self.events: dict[int, RecordedEvent] = {}
        self.read: set[str] = set()

    def run(self, streams: Set[str], parked: Mapping[str, int]) -> RecomputedRows:
        """
        Return the rows that *streams* feed, and their rows of look-ups.

        *parked* are positions by stream, from which on they are passed over.
        """
        existing = self.find_rows(streams)
        wanted = {*streams, *self.streams_of(existing)}
        for _ in range(MAX_ROUNDS):
            self.load(wanted - self.read)
            folding = self.make_folding(self.projection, self.tables, parked)
            events = [self.events[place] for place in sorted(self.events)]
            without_tables(folding.fold(events, {}, has_parked=False))
            fed = self.find_fed(folding, streams)
            made = {key: folding.rows.by_key.get(key) for key in fed}
            wanted = {*self.streams_used(folding), *self.streams_of(made)}
            if wanted <= self.read:
                break
        else:
            raise TooIntertwined(self.projection.name, len(self.read))
        rows = {key: folding.rows.by_key.get(key) for key in {*existing, *fed}}
        lookups = {
            lookup.name: {
                key: folding.lookups.rows[lookup.name].get(key)
                for key in self.keys_of(streams, lookup.category, lookup.name)
            }
            for lookup in self.projection.lookups
        }
        return RecomputedRows(rows, existing, lookups, folding.failures, len(events))

    def find_rows(self, streams: Collection[str]) -> dict[Key, Row]:
        """Return the rows there are that *streams* feed."""
        table = self.tables.rows
        rows: dict[Key, Row] = {}
        for column, category in self.projection.streams.items():
            if subjects := subjects_of(streams, category):
                rows |= self.ask(table, table.load_where(column, subjects))
        for lookup in self.projection.lookups:
            keys = self.keys_of(streams, lookup.category, lookup.name)
            if lookup.feeds is not None and keys:
                held = self.tables.lookups[lookup.name]
                found = self.ask(held, held.load(keys)).values()
                fed = {getattr(row, lookup.feeds) for row in found}
                rows |= self.ask(table, table.load(fed))
        return rows

    def streams_of(self, rows: Mapping[Key, Row | None]) -> set[str]:
        """Return the streams that feed *rows*, by what they and the look-ups name."""
        streams = {s for key in rows if (s := self.projection.stream_of(key))}
        for row in rows.values():
            if row is not None:
                streams.update(self.projection.streams_of(row))
        for lookup in self.projection.lookups:
            if lookup.feeds is not None and rows:
                held = self.tables.lookups[lookup.name]
                found = self.ask(held, held.load_where(lookup.feeds, list(rows)))
                streams |= {s for key in found if (s := lookup.stream_of(key))}
        return streams

    def streams_used(self, folding: Folding) -> set[str]:
        """Return the streams of the look-ups and rows that were folded or missed."""
        streams = set()
        for name, keys in keys_to_look_up(self.projection, folding.turns).items():
            streams |= folding.lookups.streams_of(name, keys)
        keys = {key for turn in folding.turns for key in keys_of(turn)}
        return streams | {s for key in keys if (s := self.projection.stream_of(key))}

    def find_fed(self, folding: Folding, streams: Set[str]) -> set[Key]:
        """Return the keys of the folded rows that *streams* feed."""
        fed = {
            key
            for turn in folding.turns
            if turn.event.stream_id in streams
            for key in keys_of(turn)
        }
        return fed | {
            key
            for key, row in folding.rows.by_key.items()
            if row is not None
            and not streams.isdisjoint(self.projection.streams_of(row))
        }

    def keys_of(
        self, streams: Iterable[str], category: str | None, lookup: str
    ) -> list[Key]:
        """Return the keys of a look-up's rows that are made from *streams*."""
        table = self.tables.lookups[lookup]
        return table.keys_from(subjects_of(streams, category))

    def ask(self, table: Table, statement: Statement) -> dict[Key, Row]:
        return table.loaded(statement.send(self.connection))

    def load(self, streams: Collection[str]) -> None:
        """Read the events of *streams*, with their personal fields."""
        most = None if self.most is None else self.most - len(self.events) + 1
        rows = self.connection.execute(
            f"""
            SELECT {COLUMNS} FROM public.events
            WHERE stream_id = ANY (%s) AND type = ANY (%s) AND id <= %s LIMIT %s
            """,
            (list(streams), list(self.projection.types), self.up_to, most),
        )
        events = [RecordedEvent(*row) for row in rows]
        if len(events) == most:
            raise TooIntertwined(self.projection.name, len(streams))
        self.read.update(streams)
        if self.at is not None and streams:
            ends = versions_as_of(self.connection, streams, AsOf(at=self.at))
            events = [e for e in events if e.version <= ends[e.stream_id]]
        if self.masters is not None:
            keyring = Keyring(self.connection, self.masters)
            opens = self.projection.codec.opens
            events = list(keyring.decrypt_readable(events, opens))
        self.events |= {event.position: event for event in events}


def without_tables(steps: Steps[None]) -> None:
    """Take *steps* as if all tables were empty."""
    with suppress(StopIteration):
        questions = next(steps)
        while True:
            questions = steps.send([cast(Answer, ()) for _ in questions])


def subjects_of(streams: Iterable[str], category: str | None) -> list[str]:
    """Return the ids of the streams of a category, without that."""
    split = [stream_id.partition("-") for stream_id in streams]
    return [subject for of, _, subject in split if of == category]

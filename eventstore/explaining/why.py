"""
Explain a value: fold what feeds its row, event by event, and note what changed it.

Nothing of it is stored, and no event is folded otherwise than by the projection.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import NotSettled, UnknownColumn
from eventstore.explaining.explanation import ColumnChange, Explanation
from eventstore.explaining.live_rows import (
    LiveRows,
    find_live_rows,
    load_rows,
    one_moment,
    streams_that_make,
)
from eventstore.explaining.log_folding import RowVersion, TracedFolding, fold_log
from eventstore.journal.command_types import find_types
from eventstore.log.events import Metadata
from eventstore.log.read import settled
from eventstore.projections.comments import personal_columns
from eventstore.projections.parked_streams import ParkedStream, find_parked
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.recompute import Recomputation
from eventstore.projections.tables import Tables

MAX_CHANGES = 50
MAX_EVENTS = 50_000
"""Of those that are folded for one answer, unless the caller allows more."""

_metadata = msgspec.json.Decoder(Metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    What is asked: a column of the row *key*, perhaps as of a moment.

    *column* is its name. *position* is one of the log, *at* a time with a zone; of both
    None is as the rows are now. Raises ValueError for both, and for a time without a
    zone.
    """

    key: Key
    column: str
    position: int | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        if self.position is not None and self.at is not None:
            raise ValueError("as of a position or a time: one of them")
        if self.at is not None and self.at.utcoffset() is None:
            raise ValueError(f"a time needs a zone: {self.at.isoformat()}")

    @property
    def is_of_the_past(self) -> bool:
        """Whether a moment is given."""
        return self.position is not None or self.at is not None


def explain(
    connection: psycopg.Connection[Any],
    projection: Projection,
    question: Question,
    *,
    masters: MasterKeys | None = None,
    limit: int = MAX_CHANGES,
    most: int | None = MAX_EVENTS,
) -> Explanation:
    """
    Return why a column of a row of a read model has its value.

    At most *limit* changes are in the answer. *masters* open personal fields. Where the
    streams of a row are known, they alone are folded, else all events of the read
    model's types from the log's beginning on: at most *most* events, None for all.
    *connection* is in autocommit.

    Raises UnknownColumn, ReadModelOutdated, NotSettled for a position where events may
    still come, and TooIntertwined for a row that needs more than *most* events.
    """
    names = columns_of(projection)
    if question.column not in names:
        raise UnknownColumn(projection.name, question.column, names)
    end = settled(connection)
    if question.position is not None and question.position > end:
        raise NotSettled(question.position, end)
    with one_moment(connection):
        live = find_live_rows(connection, projection)
        if question.is_of_the_past:
            position = end if question.position is None else question.position
            live = replace(live, position=position, parked={})
        return Search(connection, live, question, masters, limit, most).run()


def columns_of(projection: Projection) -> Sequence[str]:
    """Return the names of the columns of a read model's rows, in their order."""
    return [field.name for field in fields(projection.row)]


class Search:
    """One search for the changes of a column, in a transaction that sees one moment."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        live: LiveRows,
        question: Question,
        masters: MasterKeys | None,
        limit: int,
        most: int | None,
    ) -> None:
        self.connection = connection
        self.live = live
        self.question = question
        self.masters = masters
        self.limit = limit
        self.most = most
        self.projection = live.projection
        self.is_personal = question.column in personal_columns(self.projection.row)
        self.begin()

    def begin(self) -> None:
        """Forget what was noted: it is folded from the first event once more."""
        self.last: Row | None = None
        self.found: deque[RowVersion] = deque(maxlen=self.limit)
        self.count = 0

    def note(self, version: RowVersion) -> None:
        self.last = version.after
        if self.is_change(version):
            self.found.append(version)
            self.count += 1

    def is_change(self, version: RowVersion) -> bool:
        """Return whether the column was given a value, or the person was forgotten."""
        event, before, after = version
        if before is None or after is None:
            return before is not after
        if self.value_in(before) != self.value_in(after):
            return True
        # The old value is gone from the events, so both look alike.
        return self.is_personal and event.type in self.projection.types_that_forget

    def value_in(self, row: Row | None) -> Any:
        return None if row is None else getattr(row, self.question.column)

    def make_folding(
        self, projection: Projection, tables: Tables, parked: Mapping[str, int]
    ) -> TracedFolding:
        self.begin()
        return TracedFolding(
            projection, tables, parked, key=self.question.key, note=self.note
        )

    def run(self) -> Explanation:
        live, key = self.live, self.question.key
        shown = load_rows(self.connection, live, [key]).get(key)
        streams = streams_that_make(self.projection, key, shown)
        if streams is None:
            events, is_whole, parked = self.fold_all()
        else:
            events, is_whole, parked = self.fold_streams(streams)
        is_wrong = (
            is_whole
            and not parked
            and not self.question.is_of_the_past
            and (shown is None, self.value_in(shown))
            != (self.last is None, self.value_in(self.last))
        )
        return Explanation(
            read_model=self.projection.name,
            key=key,
            column=self.question.column,
            value=self.value_in(self.last),
            row=self.last,
            changes=self.changes(),
            earlier=self.count - len(self.found),
            position=live.position,
            at=self.question.at,
            events=events,
            is_whole=is_whole,
            parked=parked,
            is_wrong=is_wrong,
            shown=self.value_in(shown) if is_wrong else None,
        )

    def fold_streams(self, streams: set[str]) -> tuple[int, bool, list[ParkedStream]]:
        """Fold what feeds the row alone."""
        live = self.live
        work = Recomputation(
            self.connection,
            self.projection,
            live.tables,
            self.masters,
            live.position,
            self.most,
            at=self.question.at,
            make_folding=self.make_folding,
        )
        done = work.run(streams, live.parked)
        return done.folded, True, self.find_parked(work.read)

    def fold_all(self) -> tuple[int, bool, list[ParkedStream]]:
        """Fold all events of the read model: nobody knows which feed the row."""
        live = self.live
        folding = self.make_folding(self.projection, live.tables, live.parked)
        events, is_whole = fold_log(
            self.connection,
            folding,
            self.masters,
            up_to=live.position,
            at=self.question.at,
            most=self.most,
        )
        return events, is_whole, self.find_parked(None)

    def find_parked(self, streams: Collection[str] | None) -> list[ParkedStream]:
        """Return those of *streams*, or of all, whose events are passed over."""
        if not self.live.parked:
            return []
        return find_parked(self.connection, self.projection.name, streams)

    def changes(self) -> list[ColumnChange]:
        """Return what was found, the newest first, with the types of the commands."""
        told = [
            (version, _metadata.decode(version.event.metadata))
            for version in self.found
        ]
        types = find_types(self.connection, [m.command_id for _, m in told])
        return [
            self.change_of(version, metadata, types)
            for version, metadata in reversed(told)
        ]

    def change_of(
        self, version: RowVersion, metadata: Metadata, types: Mapping[UUID, str]
    ) -> ColumnChange:
        event, before, after = version
        command_id = metadata.command_id
        return ColumnChange(
            position=event.position,
            stream_id=event.stream_id,
            version=event.version,
            type=event.type,
            occurred_at=event.occurred_at,
            actor=metadata.actor,
            command_id=command_id,
            command_type=None if command_id is None else types.get(command_id),
            causation_id=metadata.causation_id,
            source=metadata.source,
            before=self.value_in(before),
            after=self.value_in(after),
            makes_row=before is None,
            removes_row=after is None,
            forgets=event.type in self.projection.types_that_forget,
        )

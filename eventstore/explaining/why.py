"""
Explain a value: fold what feeds its row, event by event, and note what changed it.

Nothing of it is stored, and no event is folded otherwise than by the projection.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg

from eventstore.connection import one_moment
from eventstore.encryption.keys import MasterKeys
from eventstore.errors import NotSettled, ReadModelBehind, UnknownColumn
from eventstore.explaining.column_changes import (
    describe_changes,
    value_of,
    without_forgotten,
)
from eventstore.explaining.explanation import Explanation
from eventstore.explaining.live_rows import (
    LiveRows,
    ReadableRows,
    find_live_rows,
    has_unread,
    load_rows,
    streams_that_make,
)
from eventstore.explaining.log_folding import RowVersion, TracedFolding, fold_log
from eventstore.log.read import settled
from eventstore.projections.comments import personal_columns
from eventstore.projections.parked_streams import ParkedStream, find_parked
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.tables import Tables

MAX_CHANGES = 50
MAX_EVENTS = 50_000
"""Of those that are folded for one answer, unless the caller allows more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """
    What is asked: a column of the row *key*, perhaps as of a moment.

    *column* is its name. *position* is one of the log, *at* a time with a zone; of both
    None is as the rows are now. *streams* are the ids of those to begin with, where
    the caller knows them. Raises ValueError for both moments, and for a time without a
    zone.
    """

    key: Key
    column: str
    position: int | None = None
    at: datetime | None = None
    streams: Collection[str] = ()

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
    finds_missing: bool = True,
    told: Callable[[int, int], None] = lambda *_: None,
) -> Explanation:
    """
    Return why a column of a row of a read model has its value.

    At most *limit* changes are in the answer. *masters* open personal fields. Where the
    streams of a row are known, they alone are folded, else all events of the read
    model's types from the log's beginning on: at most *most* events, None for all.
    Without *finds_missing* that is done for rows alone that the table has: others are
    answered as if no event had made them. *told* is called with the position that such
    a fold has reached, and with its end. *connection* is in autocommit.

    Raises UnknownColumn, ReadModelOutdated, NotSettled for a position where events may
    still come, ReadModelBehind for a moment with events that the read model has not
    read, and TooIntertwined for a row that needs more than *most* events.
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
            # Its table tells which streams feed a row, up to its checkpoint.
            if has_unread(connection, live, position, question.at):
                raise ReadModelBehind(projection.name, live.position)
            live = replace(live, position=position, parked={})
        search = Search(connection, live, question, masters, limit, most, told)
        return search.run(finds_missing=finds_missing)


def columns_of(projection: Projection) -> Sequence[str]:
    """Return the names of the columns of a read model's rows, in their order."""
    return [field.name for field in fields(projection.row)]


class FoldResult(NamedTuple):
    """
    What was folded: so many *events*, and whether *is_whole* is all of them.

    They are of the *streams*, None for all. *failed* cannot be folded to the end.
    """

    events: int
    is_whole: bool
    streams: Collection[str] | None
    failed: Sequence[str]


NO_FOLD = FoldResult(0, is_whole=True, streams=(), failed=())


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
        told: Callable[[int, int], None],
    ) -> None:
        self.connection = connection
        self.live = live
        self.question = question
        self.masters = masters
        self.limit = limit
        self.most = most
        self.told = told
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
        return value_of(row, self.question.column)

    def make_folding(
        self, projection: Projection, tables: Tables, parked: Mapping[str, int]
    ) -> TracedFolding:
        self.begin()
        return TracedFolding(
            projection, tables, parked, key=self.question.key, note=self.note
        )

    def run(self, *, finds_missing: bool) -> Explanation:
        live, key = self.live, self.question.key
        shown, is_readable = self.load_shown()
        streams = set(self.question.streams) or streams_that_make(
            self.projection, key, shown
        )
        if streams is not None:
            folded = self.fold_streams(streams)
        elif finds_missing or shown is not None or not is_readable:
            folded = self.fold_all()
        else:
            folded = NO_FOLD
        parked = self.find_parked(folded.streams)
        versions = list(self.found)
        if self.is_personal:
            versions = without_forgotten(
                self.connection,
                self.projection,
                self.question.column,
                versions,
                folded.streams,
            )
        is_wrong = (
            folded.is_whole
            and not (parked or folded.failed or self.question.is_of_the_past)
            and not self.is_being_forgotten(folded.streams)
            and (
                not is_readable
                or (shown is None, self.value_in(shown))
                != (self.last is None, self.value_in(self.last))
            )
        )
        return Explanation(
            read_model=self.projection.name,
            key=key,
            column=self.question.column,
            value=self.value_in(versions[-1].after if versions else self.last),
            row=self.last,
            changes=describe_changes(
                self.connection, self.projection, self.question.column, versions
            ),
            earlier=self.count - len(self.found),
            position=live.position,
            at=self.question.at,
            events=folded.events,
            is_whole=folded.is_whole,
            parked=parked,
            failed=folded.failed,
            is_wrong=is_wrong,
            shown=self.value_in(shown) if is_wrong else None,
            is_damaged=is_wrong and not is_readable,
            is_personal=self.is_personal,
        )

    def load_shown(self) -> tuple[Row | None, bool]:
        """Return the row of the table, and whether it can be read."""
        key = self.question.key
        try:
            return load_rows(self.connection, self.live, [key]).get(key), True
        except msgspec.MsgspecError:
            return None, False

    def is_being_forgotten(self, streams: Collection[str] | None) -> bool:
        """Return whether the row shows what the events of *streams* no longer have."""
        forgotten = self.live.being_forgotten
        return bool(forgotten if streams is None else forgotten.intersection(streams))

    def fold_streams(self, streams: set[str]) -> FoldResult:
        """Fold what feeds the row alone."""
        live = self.live
        work = ReadableRows(
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
        failed = [one.stream_id for one in done.failures]
        return FoldResult(done.folded, is_whole=True, streams=work.read, failed=failed)

    def fold_all(self) -> FoldResult:
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
            told=self.told,
        )
        failed = [one.stream_id for one in folding.failures]
        return FoldResult(events, is_whole=is_whole, streams=None, failed=failed)

    def find_parked(self, streams: Collection[str] | None) -> Sequence[ParkedStream]:
        """Return those of *streams*, or of all, whose events are passed over."""
        if not self.live.parked:
            return []
        return find_parked(self.connection, self.projection.name, streams)

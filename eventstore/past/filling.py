"""
Filling a copy: the events of its moment are folded by the code of today.

Rows stay in memory over the batches, and are written at the end or in large pieces. An
event that cannot be projected leaves out the rest of its stream, as a parked one does,
and is counted. Nothing that acts is ever called.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CopyDropped
from eventstore.errors.refusals import ends_the_session
from eventstore.log.events import RecordedEvent
from eventstore.log.read import settled
from eventstore.past.dropping import drop_marked, drop_tables
from eventstore.past.filling_notes import FillingNotes, Progress
from eventstore.past.forgettings import find_forgettings, has_clear_text
from eventstore.past.live_rows import fill_from_live
from eventstore.past.moments import Moment, MomentReader
from eventstore.past.registry import PastCopy, find_start, tables_of_copy
from eventstore.personal.keyring import Keyring
from eventstore.projections.folding import Folding
from eventstore.projections.kept_rows import KeptLookups, KeptRows
from eventstore.projections.ownership import hand_over
from eventstore.projections.projection import Projection
from eventstore.steps import send_all, take_steps

BATCH = 5_000
MAX_ROWS_IN_MEMORY = 100_000
"""Rows of a read model and of its look-ups, each some kilobytes."""
PRICE_OF_LIVE_ROWS = 3.0
"""How many times as much an event costs that is folded for single rows."""
SECONDS_BETWEEN_NOTES = 0.2
"""Between two notes of how far it is, so that a page shows it within a second."""


def fill_copy(
    connection: psycopg.Connection[Any],
    projection: Projection,
    copy: PastCopy,
    *,
    masters: MasterKeys | None = None,
    show: Callable[[Progress], None] = lambda _: None,
) -> None:
    """
    Make the tables of *copy*, which is marked as being filled, and fill them.

    *connection* is in autocommit, and has no time limits that a large statement
    exceeds. *masters* open the personal fields. *show* is called now and then.

    Raises CopyDropped if it was dropped meanwhile, because somebody was forgotten or by
    hand: its rows are thrown away. After any other error it is marked as failed.
    """
    filling = Filling(connection, projection, copy, masters, show)
    try:
        # A crash empties the registry, whose numbers begin again; tables stay.
        drop_tables(connection, copy.read_model, copy.number)
        filling.run()
    except BaseException as error:
        if isinstance(error, Exception) and ends_the_session(connection, error):
            # The next who fills copies finds it, and begins again.
            raise
        was_dropped = isinstance(error, CopyDropped)
        with suppress(psycopg.Error):
            was_dropped |= not filling.notes.note_end(error)
            drop_marked(connection, copy.read_model, copy.number)
        if was_dropped and isinstance(error, Exception):
            raise CopyDropped(copy.number) from error
        raise
    filling.index()


class Filling:
    """One filling of one copy."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        copy: PastCopy,
        masters: MasterKeys | None,
        show: Callable[[Progress], None],
    ) -> None:
        self.connection = connection
        self.projection = projection
        self.copy = copy
        self.masters = masters
        self.show = show
        self.notes = FillingNotes(connection, copy.number)
        self.tables = tables_of_copy(projection, copy.number)
        # Behind it events may come whose times belong to the moment.
        end = settled(connection)
        self.moment = Moment(
            up_to=end if copy.at is not None else copy.up_to, at=copy.at
        )
        # Keys of those who were forgotten up to there are destroyed.
        self.forgotten_up_to = end
        self.reader = MomentReader(connection, self.moment, projection.types)
        self.left_out = 0
        self.has_clear_text = False
        self.rows = KeptRows(self.tables.rows, has_all=True)
        self.lookups = KeptLookups(
            projection.lookups, self.tables.lookups, has_all=True
        )
        self.parked: dict[str, int] = {}
        self.noted_at = 0.0

    def run(self) -> None:
        start = find_start(self.connection, self.projection, self.moment)
        if start is not None and start.left_out:
            # Which streams are left out in it, nobody knows.
            start = None
        self.begin(start)
        if not self.take_live_rows():
            try:
                self.make_tables(start)
            except psycopg.errors.UndefinedTable:
                # It was dropped by hand at this moment.
                self.begin(None)
                self.make_tables(None)
            self.read()
        self.forget_since()
        for table in self.tables.all:
            self.connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))
        reader = self.reader
        self.notes.note_ready(
            self.tables.rows,
            up_to=self.moment.up_to,
            greatest=reader.greatest,
            has_ended=reader.has_ended,
            next_at=reader.next_at,
            left_out=self.left_out,
            forgotten_up_to=self.forgotten_up_to,
            forgets=self.projection.types_that_forget,
        )
        self.notes.note_size(self.tables)

    def begin(self, start: PastCopy | None) -> None:
        """Begin to read behind an earlier copy, or at the beginning of the log."""
        self.reader = MomentReader(self.connection, self.moment, self.projection.types)
        if start is not None and start.greatest is not None:
            self.reader.position = self.reader.greatest = start.greatest
            self.reader.has_ended = start.has_ended
            self.reader.next_at = start.next_at
        self.reader.begin()

    def take_live_rows(self) -> bool:
        """Fill it from the live rows, if that is less to do; return whether it is."""
        reader = self.reader
        found = fill_from_live(
            self.connection,
            self.projection,
            self.tables,
            self.moment,
            self.masters,
            # Of each event that is folded alone several are read.
            most=int(reader.count_left() / PRICE_OF_LIVE_ROWS),
            note=self.note_progress,
        )
        if found is None:
            return False
        reader.position, self.left_out = reader.goal, found.left_out
        self.forgotten_up_to = min(self.forgotten_up_to, found.checkpoint)
        self.has_clear_text = found.has_clear_text
        reader.greatest, reader.has_ended, reader.next_at = found[:3]
        self.rows.has_all = self.lookups.has_all = False
        return True

    def make_tables(self, start: PastCopy | None) -> None:
        """Make the tables, with the rows of an earlier copy if it starts there."""
        with self.connection.transaction():
            self.tables.create(self.connection, is_logged=False)
            names = [table.name for table in self.tables.all]
            hand_over(self.connection, "TABLE", *names)
            if start is not None:
                self.start_from(start)
            self.note_progress()

    def read(self) -> None:
        """Read the events of the moment, and fold them."""
        for events in self.reader.batches(BATCH):
            if events:
                self.fold(events)
            if not self.rows.has_all or self.is_memory_full():
                self.write()
            elif time.monotonic() > self.noted_at + SECONDS_BETWEEN_NOTES:
                self.note_progress()
        self.write()
        self.left_out = len(self.parked)

    def forget_since(self) -> None:
        """
        Take out of the rows who was forgotten behind the moment.

        The key of what was written before encryption is not destroyed: there is none.
        So what the read model does to its rows when somebody is forgotten is done here,
        too.
        """
        if not (self.has_clear_text and self.projection.types_that_forget):
            return
        events = find_forgettings(
            self.connection, self.projection, self.moment, self.forgotten_up_to
        )
        for start in range(0, len(events), BATCH):
            # No stream is left out: one that cannot be folded has its rows deleted.
            self.fold_in_rows(events[start : start + BATCH], {})
            self.write()

    def start_from(self, start: PastCopy) -> None:
        """Take over the rows of an earlier copy."""
        self.forgotten_up_to = min(self.forgotten_up_to, start.forgotten_up_to)
        theirs = tables_of_copy(self.projection, start.number)
        for ours, other in zip(self.tables.all, theirs.all, strict=True):
            names = sql.SQL(", ").join(map(sql.Identifier, ours.columns))
            self.connection.execute(
                sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {}").format(
                    ours.identifier, other.identifier, names=names
                )
            )
        self.tables.rows.create_indexes(self.connection, are_early=True)
        self.rows.has_all = self.lookups.has_all = False

    def fold(self, events: Sequence[RecordedEvent]) -> None:
        """Fold a batch into the rows in memory."""
        codec = self.projection.codec
        self.has_clear_text = self.has_clear_text or has_clear_text(codec, events)
        if self.masters is not None:
            # The keys of one batch: with older ones forgotten data could be read.
            keyring = Keyring(self.connection, self.masters)
            events = keyring.decrypt_readable(events, codec.opens)
        self.parked = self.fold_in_rows(events, self.parked)

    def fold_in_rows(
        self, events: Sequence[RecordedEvent], parked: dict[str, int]
    ) -> dict[str, int]:
        """Fold decrypted events into the rows; return the streams parked by now."""
        folding = Folding(
            self.projection,
            self.tables,
            parked,
            rows=self.rows,
            lookups=self.lookups,
        )
        take_steps(self.connection, [folding.fold(events, {}, has_parked=False)])
        return folding.parked

    def is_memory_full(self) -> bool:
        held = len(self.rows.by_key) + sum(map(len, self.lookups.rows.values()))
        return held > MAX_ROWS_IN_MEMORY

    def write(self) -> None:
        """Write what is not written yet, and make room if there is too little."""
        is_full, was_complete = self.is_memory_full(), self.rows.has_all
        with self.connection.transaction():
            send_all(self.connection, self.lookups.pieces())
            send_all(self.connection, self.rows.pieces())
            if is_full and was_complete:
                # From now on updates find rows in the table.
                self.tables.rows.create_indexes(self.connection, are_early=True)
            self.note_progress()
        for kept in (self.lookups, self.rows):
            kept.note_written()
            if is_full:
                kept.let_go(0)

    def index(self) -> None:
        """
        Make the indexes that searches need; it answers already, and more slowly.

        A sort of a hundred thousand rows takes less than the goal without one. Those of
        a few rows are soon made, and answer what asks for few of many.
        """
        made_early = not self.rows.has_all
        for index in self.tables.rows.indexes:
            is_needed = index.using != "btree" or index.where is not None
            if is_needed or (index.is_early and not made_early):
                with suppress(psycopg.errors.UndefinedTable):
                    self.tables.rows.create_index(self.connection, index)
        self.notes.note_size(self.tables)

    def note_progress(self) -> None:
        """
        Note how far it is. Raises CopyDropped.

        It is the last statement of a transaction: the row is locked for that long, and
        who drops it waits.
        """
        self.noted_at = time.monotonic()
        reader = self.reader
        progress = Progress(min(reader.position, reader.goal), reader.goal)
        self.notes.note_progress(*progress)
        self.show(progress)

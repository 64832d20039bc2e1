"""
Filling a copy: the events of its moment are folded by the code of today.

Rows stay in memory over the batches, and are written at the end or in large pieces. An
event that cannot be projected leaves out the rest of its stream, as a parked one does,
and is counted. Nothing that acts is ever called.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CopyDropped
from eventstore.errors.refusals import is_lost_connection
from eventstore.errors.text import error_text
from eventstore.log.events import RecordedEvent
from eventstore.log.read import settled
from eventstore.past.dropping import drop_marked
from eventstore.past.moments import Moment, MomentReader
from eventstore.past.registry import PastCopy, find_start, tables_of_copy
from eventstore.past.rows_kept import KeptLookups, KeptRows
from eventstore.personal.keyring import Keyring
from eventstore.projections.folding import Folding
from eventstore.projections.ownership import hand_over
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA
from eventstore.steps import send_all, take_steps

BATCH = 5_000
MAX_ROWS_IN_MEMORY = 100_000
"""Rows of a read model and of its look-ups, each some kilobytes."""
SECONDS_BETWEEN_NOTES = 0.2
"""Between two notes of how far it is, so that a page shows it within a second."""


class Progress(NamedTuple):
    """How many positions of the log are read, of how many."""

    done: int
    goal: int


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
        filling.run()
    except BaseException as error:
        if isinstance(error, Exception) and is_lost_connection(error):
            # The next who fills copies finds it, and begins again.
            raise
        was_dropped = isinstance(error, CopyDropped)
        with suppress(psycopg.Error):
            was_dropped |= not filling.give_up(error)
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
        self.tables = tables_of_copy(projection, copy.number)
        # Behind it events may come whose times belong to the moment.
        up_to = settled(connection) if copy.at is not None else copy.up_to
        self.moment = Moment(up_to=up_to, at=copy.at)
        self.reader = MomentReader(connection, self.moment, projection.types)
        self.rows = KeptRows(self.tables.rows, is_complete=True)
        self.lookups = KeptLookups(projection.lookups, self.tables.lookups)
        self.parked: dict[str, int] = {}
        self.noted_at = 0.0

    def run(self) -> None:
        self.begin()
        self.reader.begin()
        self.note_progress()
        for events in self.reader.batches(BATCH):
            if events:
                self.fold(events)
            if self.is_to_be_written():
                self.write()
            elif time.monotonic() > self.noted_at + SECONDS_BETWEEN_NOTES:
                self.note_progress()
        self.write()
        for table in self.tables.all:
            self.connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))
        self.make_ready()

    def begin(self) -> None:
        """Make the tables, with the rows of an earlier copy if it can start there."""
        start = find_start(self.connection, self.projection, self.moment)
        if start is not None and start.left_out:
            # Which streams are left out in it, nobody knows.
            start = None
        try:
            self.make_tables(start)
        except psycopg.errors.UndefinedTable:
            # It was dropped by hand at this moment.
            self.make_tables(None)

    def make_tables(self, start: PastCopy | None) -> None:
        with self.connection.transaction():
            self.tables.create(self.connection, is_logged=False)
            names = [table.name for table in self.tables.all]
            hand_over(self.connection, "TABLE", *names)
            if start is not None:
                self.start_from(start)
            self.note_progress()

    def start_from(self, start: PastCopy) -> None:
        """Take over the rows of an earlier copy."""
        theirs = tables_of_copy(self.projection, start.number)
        for ours, other in zip(self.tables.all, theirs.all, strict=True):
            names = sql.SQL(", ").join(map(sql.Identifier, ours.columns))
            self.connection.execute(
                sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {}").format(
                    ours.identifier, other.identifier, names=names
                )
            )
        self.tables.rows.create_indexes(self.connection, are_early=True)
        self.rows.is_complete = False
        assert start.greatest is not None
        reader = self.reader
        reader.position = reader.greatest = start.greatest
        reader.has_ended, reader.next_at = start.has_ended, start.next_at

    def fold(self, events: Sequence[RecordedEvent]) -> None:
        """Fold a batch into the rows in memory."""
        if self.masters is not None:
            # The keys of one batch: with older ones forgotten data could be read.
            keyring = Keyring(self.connection, self.masters)
            events = keyring.decrypt_readable(events, self.projection.codec.opens)
        folding = Folding(self.projection, self.tables, self.parked)
        folding.rows, folding.lookups = self.rows, self.lookups
        take_steps(self.connection, [folding.fold(events, {}, has_parked=False)])
        self.parked = folding.parked

    def is_to_be_written(self) -> bool:
        return not self.rows.is_complete or self.is_memory_full()

    def is_memory_full(self) -> bool:
        held = len(self.rows.by_key) + sum(map(len, self.lookups.rows.values()))
        return held > MAX_ROWS_IN_MEMORY

    def write(self) -> None:
        """Write what is not written yet, and make room if there is too little."""
        is_full, was_complete = self.is_memory_full(), self.rows.is_complete
        with self.connection.transaction():
            send_all(self.connection, self.lookups.written())
            send_all(self.connection, self.rows.written())
            if is_full and was_complete:
                # From now on updates find rows in the table.
                self.tables.rows.create_indexes(self.connection, are_early=True)
            self.note_progress()
        self.lookups.note_written(forget=is_full)
        self.rows.note_written(forget=is_full)

    def note_progress(self) -> None:
        """
        Note how far it is. Raises CopyDropped.

        It is the last statement of a transaction: the row is locked for that long, and
        who drops it waits.
        """
        self.noted_at = time.monotonic()
        reader = self.reader
        progress = Progress(min(reader.position, reader.goal), reader.goal)
        done = self.connection.execute(
            """
            UPDATE public.past_copies SET done = %s, goal = %s
            WHERE number = %s AND state = 'filling'
            """,
            (*progress, self.copy.number),
        )
        if not done.rowcount:
            raise CopyDropped(self.copy.number)
        self.show(progress)

    def make_ready(self) -> None:
        """Let it answer. Raises CopyDropped."""
        count = sql.SQL("(SELECT count(*) FROM {})").format(self.tables.rows.identifier)
        done = self.connection.execute(
            sql.SQL(
                """
                UPDATE public.past_copies SET
                    state = 'ready', up_to = %(up_to)s, until = at, looked = %(up_to)s,
                    greatest = %(greatest)s,
                    event_id = public.event_id_at(%(greatest)s),
                    has_ended = %(has_ended)s, next_at = %(next_at)s,
                    done = goal, rows = {count}, left_out = %(left_out)s,
                    made_at = clock_timestamp(), used_at = clock_timestamp()
                WHERE number = %(number)s AND state = 'filling'
                """
            ).format(count=count),
            {
                "up_to": self.moment.up_to,
                "greatest": self.reader.greatest,
                "has_ended": self.reader.has_ended,
                "next_at": self.reader.next_at,
                "left_out": len(self.parked),
                "number": self.copy.number,
            },
        )
        if not done.rowcount:
            raise CopyDropped(self.copy.number)
        self.note_size()

    def index(self) -> None:
        """
        Make the indexes that searches need; it answers already, and more slowly.

        A sort of a hundred thousand rows takes less than the goal without one.
        """
        made_early = not self.rows.is_complete
        wanted = [
            index
            for index in self.tables.rows.indexes
            if index.using != "btree" or (index.is_early and not made_early)
        ]
        for index in wanted:
            with suppress(psycopg.errors.UndefinedTable):
                self.tables.rows.create_index(self.connection, index)
        self.note_size()

    def note_size(self) -> None:
        self.connection.execute(
            """
            UPDATE public.past_copies SET bytes = (
                SELECT sum(pg_total_relation_size(
                    to_regclass(format('%%I.%%I', %s::text, name))
                ))
                FROM unnest(%s::text[]) AS t (name)
            )
            WHERE number = %s
            """,
            (SCHEMA, [table.name for table in self.tables.all], self.copy.number),
        )

    def give_up(self, error: BaseException) -> bool:
        """Throw away what was filled, and note why; return False if it was dropped."""
        # A process that is asked to end leaves it to the next one.
        is_ended = not isinstance(error, Exception)
        noted = self.connection.execute(
            """
            UPDATE public.past_copies SET
                state = %s, error = %s, made_at = clock_timestamp(),
                tries = tries - %s, done = 0
            WHERE number = %s AND state = 'filling'
            """,
            (
                "wanted" if is_ended else "failed",
                f"{type(error).__name__}: {error_text(error)}"[:300],
                int(is_ended),
                self.copy.number,
            ),
        )
        drop_marked(self.connection, self.copy.read_model, self.copy.number)
        return noted.rowcount == 1

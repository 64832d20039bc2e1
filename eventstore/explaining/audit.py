"""
The audit: rows are made once more from their events, and compared with what is shown.

It reports, and repairs nothing. Two walks find all that can be wrong: over the pages of
each table what is changed or should not be there, over the streams of the log what is
missing.
"""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import ReadModelOutdated
from eventstore.explaining.audit_notes import AuditNotes, AuditReport, LookElsewhere
from eventstore.explaining.audit_records import (
    OF_LOG,
    WalkRecord,
    WrongRowRecord,
    forget_other_generations,
    load_walks,
    save_walks,
)
from eventstore.explaining.live_rows import (
    LiveRows,
    find_live_rows,
    names_a_row,
    one_moment,
    streams_that_make,
)
from eventstore.explaining.page_walk import (
    count_pages,
    rows_on_page,
    streams_on_page,
)
from eventstore.explaining.row_audit import (
    MAX_EVENTS,
    TABLE,
    AuditedRows,
    audit_by_log,
    audit_streams,
)
from eventstore.projections.generations import live_generations
from eventstore.projections.projection import Projection

LOG = sql.Identifier("public", "events")
BETWEEN_FOLDS = timedelta(days=1)
"""Between two looks at a read model for which all events are folded."""
NEVER = datetime.min.replace(tzinfo=UTC)
MAX_SEEN_AGAIN = 100
"""Wrong rows that are looked at once more by one run."""


class Audit:
    """
    One run of the audit over some read models.

    *connection* is in autocommit and holds the lock of `lone_audit`. *masters* open
    personal fields. *look_elsewhere* compares copies in other stores with the table.
    A run looks at no row twice, and leaves out rows of more than *most* events. With a
    *share* it rests afterwards, so that it uses no more of a core. Without
    *keeps_walks* all rounds begin here, and those of other runs stay.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projections: Sequence[Projection],
        masters: MasterKeys | None = None,
        *,
        look_elsewhere: LookElsewhere = lambda *_: (),
        most: int = MAX_EVENTS,
        seconds_of_a_fold: float | None = None,
        share: float | None = None,
        keeps_walks: bool = True,
    ) -> None:
        self.connection = connection
        self.projections = {one.name: one for one in projections}
        self.masters = masters
        self.most = most
        self.seconds_of_a_fold = seconds_of_a_fold
        self.share = share
        self.keeps_walks = keeps_walks
        self.walks = load_walks(connection) if keeps_walks else {}
        self.notes = AuditNotes(connection, look_elsewhere)
        self.report = self.notes.report
        self.seen: set[tuple[str, frozenset[str]]] = set()

    def run(
        self,
        *,
        seconds: float | None = None,
        rows: int | None = None,
        folds: bool | None = None,
    ) -> AuditReport:
        """
        Look at rows for *seconds*, or at so many *rows*; at most at all of them once.

        *folds* says whether read models without streams are folded: None if it is due.
        The time is that from begin to end: it has PostgreSQL's part in it, and waiting.
        """
        began = time.monotonic()

        def is_over() -> bool:
            is_late = seconds is not None and time.monotonic() - began >= seconds
            return is_late or (rows is not None and self.report.rows >= rows)

        try:
            self.look_again()
            for walk in self.walks_in_turn():
                if walk.name in self.projections and self.must_fold(walk, folds):
                    self.measured(walk, self.fold)
            self.walk_in_turns(is_over)
        finally:
            self.report.seconds = spent = time.monotonic() - began
            if self.share is not None:
                self.walk_called(OF_LOG).rest(spent / self.share - spent)
            if self.keeps_walks:
                save_walks(self.connection, self.walks.values())
        return self.report

    def walk_called(self, name: str) -> WalkRecord:
        return self.walks.setdefault(name, WalkRecord(name))

    def walks_in_turn(self) -> list[WalkRecord]:
        """Return all walks, the one that was longest not gone on with first."""
        own = [self.walk_called(name) for name in (*self.projections, OF_LOG)]
        return sorted(own, key=lambda one: one.looked_at or NEVER)

    def walk_in_turns(self, is_over: Callable[[], bool]) -> None:
        """Take a step of each walk in turn; one whose round ends rests till next."""
        going = [one for one in self.walks_in_turn() if self.has_steps(one)]
        while going:
            for walk in list(going):
                if is_over():
                    return
                step = self.step_log if walk.name == OF_LOG else self.step_table
                if self.measured(walk, step):
                    going.remove(walk)

    def has_steps(self, walk: WalkRecord) -> bool:
        projection = self.projections.get(walk.name)
        return projection is None or bool(projection.streams)

    def measured(self, walk: WalkRecord, step: Callable[[WalkRecord], bool]) -> bool:
        began = time.monotonic()
        rows, left_out = self.report.rows, self.report.left_out
        try:
            return step(walk)
        except ReadModelOutdated:
            self.report.outdated.add(walk.name)
            return True
        except msgspec.MsgspecError:
            # The JSON of a row is none of its class: the rest of its page is left out.
            self.report.left_out += 1
            walk.walk = walk.walk.step()
            return walk.end_if_over()
        finally:
            walk.rows += self.report.rows - rows
            walk.left_out += self.report.left_out - left_out
            walk.seconds += time.monotonic() - began
            walk.looked_at = datetime.now(UTC)

    def step_table(self, walk: WalkRecord) -> bool:
        """Look at the rows of a page; return whether that was the round's last."""
        projection = self.projections[walk.name]
        with one_moment(self.connection):
            live = find_live_rows(self.connection, projection)
            table = live.tables.rows
            if walk.walk.is_over or walk.generation != live.number:
                walk.begin_round(count_pages(self.connection, table.identifier))
                walk.generation = live.number
            if walk.walk.is_over:
                return walk.end_if_over()
            rows = rows_on_page(self.connection, table, walk.walk.page)
            groups = self.not_seen(
                projection,
                [
                    streams_that_make(projection, key, row) or set()
                    for key, row in rows.items()
                ],
            )
            audited = audit_streams(
                self.connection, live, groups, self.masters, most=self.most
            )
        walk.walk = walk.walk.step()
        self.notes.note(live, audited, list(rows))
        return walk.end_if_over()

    def step_log(self, walk: WalkRecord) -> bool:
        """Look at the rows of the streams that begin on a page of the log."""
        audits: list[tuple[LiveRows, AuditedRows]] = []
        with one_moment(self.connection):
            if walk.walk.is_over:
                walk.begin_round(count_pages(self.connection, LOG))
            if walk.walk.is_over:
                return walk.end_if_over()
            for projection in self.projections.values():
                if not projection.streams or projection.name in self.report.outdated:
                    continue
                try:
                    live = find_live_rows(self.connection, projection)
                except ReadModelOutdated:
                    self.report.outdated.add(projection.name)
                    continue
                page = walk.walk.page
                found = streams_on_page(self.connection, page, live.position)
                groups = self.not_seen(
                    projection, [{s} for s in found if names_a_row(projection, s)]
                )
                audited = audit_streams(
                    self.connection, live, groups, self.masters, most=self.most
                )
                audits.append((live, audited))
        walk.walk = walk.walk.step()
        for live, audited in audits:
            self.notes.note(live, audited, audited.keys)
        return walk.end_if_over()

    def not_seen(
        self, projection: Projection, groups: Sequence[Collection[str]]
    ) -> list[frozenset[str]]:
        """Return the groups of streams that this run has not looked at, each once."""
        new = []
        for group in groups:
            known = (projection.name, frozenset(group))
            if group and known not in self.seen:
                self.seen.add(known)
                new.append(known[1])
        return new

    def must_fold(self, walk: WalkRecord, folds: bool | None) -> bool:
        if self.projections[walk.name].streams or folds is False:
            return False
        if folds or walk.looked_at is None:
            return True
        return walk.looked_at < datetime.now(UTC) - BETWEEN_FOLDS

    def fold(self, walk: WalkRecord) -> bool:
        """Compare all rows of a read model that names no streams of them."""
        limit = self.seconds_of_a_fold
        until = None if limit is None else time.monotonic() + limit
        walk.begin_round(0)
        with one_moment(self.connection):
            live = find_live_rows(self.connection, self.projections[walk.name])
            walk.generation = live.number
            audited = audit_by_log(
                self.connection,
                live,
                self.masters,
                is_over=lambda: until is not None and time.monotonic() > until,
            )
        if audited is None:
            self.report.left_out += 1
            return True
        self.notes.note(live, audited, audited.keys)
        self.notes.forget_right(
            live, TABLE, self.notes.known_of(live, TABLE), audited.wrong
        )
        return walk.end_if_over()

    def look_again(self) -> None:
        """Look at the wrong rows that are known: whether they are wrong still."""
        live = live_generations(self.connection)
        if self.notes.known:
            numbers = {name: one.number for name, one in live.items()}
            forget_other_generations(self.connection, numbers)
        known = [
            one
            for one in self.notes.known[:MAX_SEEN_AGAIN]
            if one.read_model in live and one.generation == live[one.read_model].number
        ]
        for name in {one.read_model for one in known} & self.projections.keys():
            try:
                self.look_again_at([one for one in known if one.read_model == name])
            except ReadModelOutdated:
                self.report.outdated.add(name)

    def look_again_at(self, known: Sequence[WrongRowRecord]) -> None:
        """Look once more at wrong rows of one read model."""
        projection = self.projections[known[0].read_model]
        of_table = [one for one in known if one.place == TABLE and one.streams]
        elsewhere = [one.key for one in known if one.place != TABLE]
        with one_moment(self.connection):
            live = find_live_rows(self.connection, projection)
            groups = self.not_seen(projection, [one.streams for one in of_table])
            audited = audit_streams(
                self.connection, live, groups, self.masters, most=self.most
            )
        if not audited.left_out:
            self.notes.forget_right(
                live, TABLE, [o.key for o in of_table], audited.wrong
            )
        self.notes.note(live, audited, live.tables.rows.keys_from(elsewhere))

"""The steps of the audit: some rows of a table, of the log, or all by a fold."""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from eventstore.connection import one_moment
from eventstore.encryption.keys import MasterKeys
from eventstore.errors import ReadModelOutdated
from eventstore.explaining.audit_notes import AuditNotes
from eventstore.explaining.audit_records import WalkRecord, WrongRowRecord
from eventstore.explaining.live_rows import (
    LiveRows,
    find_live_rows,
    streams_that_make,
    streams_without_row,
)
from eventstore.explaining.page_walk import (
    count_pages,
    rows_on_page,
    streams_on_page,
)
from eventstore.explaining.row_audit import (
    TABLE,
    AuditedRows,
    audit_by_log,
    audit_streams,
)
from eventstore.projections.projection import Key, Projection, Row

LOG = sql.Identifier("public", "events")
AT_ONCE = 100
"""Rows, or streams, of which so many pages are looked at together."""


class AuditSteps:
    """
    What a run looks at, each stream once for a read model.

    *connection* is in autocommit. *masters* open personal fields. Rows of more than
    *most* events are left out. A fold of all events takes *seconds_of_a_fold* at most,
    and so long a step begins to fold rows: those that are left are left out.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        masters: MasterKeys | None,
        notes: AuditNotes,
        *,
        most: int,
        seconds_of_a_fold: float | None,
    ) -> None:
        self.connection = connection
        self.masters = masters
        self.notes = notes
        self.most = most
        self.seconds_of_a_fold = seconds_of_a_fold
        self.at_once = AT_ONCE
        self.seen: set[tuple[str, frozenset[str]]] = set()

    def look_at_table(self, projection: Projection, walk: WalkRecord) -> None:
        """Look at the rows of some pages of a read model, from where *walk* is on."""
        with one_moment(self.connection):
            live = find_live_rows(self.connection, projection)
            table = live.tables.rows
            if walk.walk.is_over or walk.generation != live.number:
                walk.begin_round(count_pages(self.connection, table.identifier))
                walk.generation = live.number
            rows: dict[Key, Row | None] = {}
            reached = walk.walk
            while not reached.is_over and len(rows) < self.at_once:
                rows |= rows_on_page(self.connection, table, reached.page)
                reached = reached.step()
            groups = [
                streams_that_make(projection, key, row) or set()
                for key, row in rows.items()
                if row is not None
            ]
            audited = self.audit(live, groups)
            audited.left_out += sum(row is None for row in rows.values())
        walk.walk = reached
        self.notes.note(live, audited, list(rows))

    def look_at_log(self, projections: Sequence[Projection], walk: WalkRecord) -> None:
        """Look for missing rows, of the streams that begin on some pages of the log."""
        audits: list[tuple[LiveRows, AuditedRows]] = []
        with one_moment(self.connection):
            if walk.walk.is_over:
                walk.begin_round(count_pages(self.connection, LOG))
            found: list[str] = []
            reached = walk.walk
            while not reached.is_over and len(found) < self.at_once:
                found += streams_on_page(self.connection, reached.page)
                reached = reached.step()
            for projection in projections:
                try:
                    live = find_live_rows(self.connection, projection)
                except ReadModelOutdated:
                    # Said by the step of its own table.
                    continue
                groups = [
                    {stream_id}
                    for stream_id in streams_without_row(self.connection, live, found)
                ]
                audits.append((live, self.audit(live, groups)))
        walk.walk = reached
        for live, audited in audits:
            self.notes.note(live, audited, audited.keys)

    def look_again(
        self, projection: Projection, known: Sequence[WrongRowRecord]
    ) -> None:
        """
        Look once more at rows of a read model that are known to be wrong.

        Those of other streams are looked at alone: one that cannot be made once more,
        or be read, holds up no other.
        """
        by_streams: defaultdict[frozenset[str], list[str]] = defaultdict(list)
        for one in known:
            if one.place == TABLE and one.streams:
                by_streams[frozenset(one.streams)].append(one.key)
        elsewhere = [one.key for one in known if one.place != TABLE]
        audits: list[tuple[list[str], AuditedRows]] = []
        with one_moment(self.connection):
            live = find_live_rows(self.connection, projection)
            for streams, keys in by_streams.items():
                try:
                    audits.append((keys, self.audit(live, [streams])))
                except msgspec.MsgspecError:
                    self.notes.report.left_out += 1
        for keys, audited in audits:
            if not audited.left_out:
                self.notes.forget_right(live, TABLE, keys, audited.wrong)
            self.notes.note(live, audited, [])
        if elsewhere:
            keys_of_copies = live.tables.rows.keys_from(elsewhere)
            self.notes.note(live, AuditedRows(), keys_of_copies)

    def audit(self, live: LiveRows, groups: Sequence[Collection[str]]) -> AuditedRows:
        """Compare the rows of these streams, if this run has not done so."""
        name = live.projection.name
        wanted = {(name, frozenset(group)) for group in groups if group} - self.seen
        audited = audit_streams(
            self.connection,
            live,
            [streams for _, streams in wanted],
            self.masters,
            most=self.most,
            is_over=self.time_limit(),
        )
        self.seen |= wanted
        return audited

    def fold(
        self, projection: Projection, walk: WalkRecord, told: Callable[[int, int], None]
    ) -> None:
        """
        Compare all rows of a read model that names no streams of them.

        *told* is called with the position that is reached, and with the last one.
        """
        walk.begin_round(0)
        with one_moment(self.connection):
            live = find_live_rows(self.connection, projection)
            walk.generation = live.number
            audited = audit_by_log(
                self.connection,
                live,
                self.masters,
                is_over=self.time_limit(),
                told=told,
            )
        if audited is None:
            self.notes.report.left_out += 1
            return
        self.notes.note(live, audited, audited.keys)
        known = self.notes.known_of(live, TABLE)
        self.notes.forget_right(live, TABLE, known, audited.wrong)
        walk.end_if_over()

    def time_limit(self) -> Callable[[], bool]:
        """Return what says whether the time for a fold that begins now is over."""
        if self.seconds_of_a_fold is None:
            return lambda: False
        until = time.monotonic() + self.seconds_of_a_fold
        return lambda: time.monotonic() > until

    def pass_over(self, walk: WalkRecord) -> None:
        """
        Go on behind a page with a row whose JSON is none of its class.

        Its page alone is left out: what is around it is looked at page by page.
        """
        if self.at_once > 1 and not walk.walk.is_over:
            self.at_once = 1
            return
        self.at_once = AT_ONCE
        self.notes.report.left_out += 1
        if not walk.walk.is_over:
            walk.walk = walk.walk.step()

"""
The audit: rows are made once more from their events, and compared with what is shown.

It reports, and repairs nothing. Two walks find all that can be wrong: over the pages of
each table what is changed or should not be there, over the streams of the log what is
missing.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import ReadModelOutdated
from eventstore.explaining.audit_notes import AuditNotes, AuditReport, LookElsewhere
from eventstore.explaining.audit_records import (
    OF_LOG,
    WalkRecord,
    forget_other_generations,
    load_walks,
    save_walks,
)
from eventstore.explaining.audit_steps import AuditSteps
from eventstore.explaining.row_audit import MAX_EVENTS
from eventstore.projections.generations import live_generations
from eventstore.projections.projection import Projection

NOT_THERE = (ReadModelOutdated, psycopg.errors.UndefinedTable)
"""Other code has made the read model, or its table was dropped."""
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
        self.share = share
        self.keeps_walks = keeps_walks
        self.walks = load_walks(connection) if keeps_walks else {}
        self.notes = AuditNotes(connection, look_elsewhere)
        self.report = self.notes.report
        self.steps = AuditSteps(
            connection,
            masters,
            self.notes,
            most=most,
            seconds_of_a_fold=seconds_of_a_fold,
        )

    def run(
        self,
        *,
        seconds: float | None = None,
        rows: int | None = None,
        folds: bool | None = None,
        told: Callable[[str, int, int], None] = lambda *_: None,
    ) -> AuditReport:
        """
        Look at rows for *seconds*, or at so many *rows*; at most at all of them once.

        *folds* says whether read models without streams are folded: None if it is due.
        *told* is called with what is done, how far it is and how long: positions of the
        log for such a read model, and `pages` if all rows are looked at.
        The time is that from begin to end: it has PostgreSQL's part in it, and waiting.
        """
        began = time.monotonic()

        def is_over() -> bool:
            is_late = seconds is not None and time.monotonic() - began >= seconds
            return is_late or (rows is not None and self.report.rows >= rows)

        try:
            self.look_again()
            for name, projection in self.projections.items():
                walk = self.walk_called(name)
                if self.must_fold(walk, folds):
                    fold = partial(self.steps.fold, projection, walk)
                    self.measure(walk, partial(fold, partial(told, name)))
            whole = seconds is None and rows is None
            self.walk_in_turns(is_over, told if whole else lambda *_: None)
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

    def walk_in_turns(
        self, is_over: Callable[[], bool], told: Callable[[str, int, int], None]
    ) -> None:
        """Take a step of each walk in turn; one whose round ends rests till next."""
        going = [one for one in self.walks_in_turn() if self.has_steps(one)]
        rounds = list(going)
        while going:
            for walk in list(going):
                if is_over():
                    return
                if self.step(walk):
                    going.remove(walk)
            # Once each has begun, all of their pages are counted.
            done = sum(one.walk.done for one in rounds)
            told("pages", done, sum(one.walk.pages for one in rounds))

    def has_steps(self, walk: WalkRecord) -> bool:
        if walk.name == OF_LOG:
            return any(one.streams for one in self.projections.values())
        return bool(self.projections[walk.name].streams)

    def step(self, walk: WalkRecord) -> bool:
        """Look at some rows; return whether the round is over."""
        if walk.name == OF_LOG:
            named = [one for one in self.projections.values() if one.streams]
            look = partial(self.steps.look_at_log, named, walk)
        else:
            projection = self.projections[walk.name]
            look = partial(self.steps.look_at_table, projection, walk)
        return not self.measure(walk, look) or walk.end_if_over()

    def measure(self, walk: WalkRecord, look: Callable[[], None]) -> bool:
        """Look, and note what it took; return False if there is nothing to look at."""
        began = time.monotonic()
        rows, left_out = self.report.rows, self.report.left_out
        try:
            look()
        except NOT_THERE:
            self.report.outdated.add(walk.name)
            return False
        except msgspec.MsgspecError:
            self.steps.pass_over(walk)
        finally:
            walk.rows += self.report.rows - rows
            walk.left_out += self.report.left_out - left_out
            walk.seconds += time.monotonic() - began
            walk.looked_at = datetime.now(UTC)
        return True

    def must_fold(self, walk: WalkRecord, folds: bool | None) -> bool:
        if self.projections[walk.name].streams or folds is False:
            return False
        if folds or walk.looked_at is None:
            return True
        return walk.looked_at < datetime.now(UTC) - BETWEEN_FOLDS

    def look_again(self) -> None:
        """Look at the wrong rows that are known: whether they are wrong still."""
        live = live_generations(self.connection)
        if self.notes.known:
            numbers = {name: one.number for name, one in live.items()}
            forget_other_generations(self.connection, numbers)
        known = [
            one
            for one in self.notes.known
            if one.read_model in self.projections.keys() & live.keys()
            and one.generation == live[one.read_model].number
        ]
        if len(known) > MAX_SEEN_AGAIN:
            # Those that cannot be made once more would be the first ones for ever.
            known = random.sample(known, MAX_SEEN_AGAIN)
        for name in {one.read_model for one in known}:
            try:
                self.steps.look_again(
                    self.projections[name],
                    [one for one in known if one.read_model == name],
                )
            except NOT_THERE:
                self.report.outdated.add(name)
            except msgspec.MsgspecError:
                self.report.left_out += 1

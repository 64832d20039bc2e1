"""What a run of the audit has found, as it is stored and as it is reported."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.explaining.audit_records import (
    find_wrong_rows,
    forget_right_rows,
    note_wrong_rows,
)
from eventstore.explaining.live_rows import LiveRows
from eventstore.explaining.row_audit import TABLE, AuditedRows, WrongRow
from eventstore.projections.projection import Key

MAX_NOTED = 1_000
"""Wrong rows of a read model that are stored: of a changed fold all rows are wrong."""

LookElsewhere = Callable[[LiveRows, Sequence[Key]], Iterable[WrongRow]]
"""Yields what is wrong with the copies of rows in other stores, by their keys."""


@dataclass(slots=True)
class AuditReport:
    """
    What a run has looked at: *rows* of them, in *seconds*.

    *wrong* are all that it found, *new* those that were not known. *left_out* could not
    be made once more. *outdated* are read models that this code did not make.
    """

    rows: int = 0
    left_out: int = 0
    seconds: float = 0.0
    wrong: list[WrongRow] = field(default_factory=list)
    new: list[WrongRow] = field(default_factory=list)
    outdated: set[str] = field(default_factory=set)


class AuditNotes:
    """The report of a run, and the wrong rows that were known when it began."""

    def __init__(
        self, connection: psycopg.Connection[Any], look_elsewhere: LookElsewhere
    ) -> None:
        self.connection = connection
        self.look_elsewhere = look_elsewhere
        self.report = AuditReport()
        self.known = find_wrong_rows(connection)
        self.noted = Counter(one.read_model for one in self.known)

    def note(self, live: LiveRows, audited: AuditedRows, keys: Sequence[Key]) -> None:
        """Note what was found, and what the stores have of the rows *keys*."""
        report, name = self.report, live.projection.name
        copied = list(self.look_elsewhere(live, keys)) if keys else []
        wrong = [*audited.wrong, *copied]
        report.rows += len(audited.keys)
        report.rows += sum(one.kind == "missing" for one in audited.wrong)
        report.left_out += audited.left_out
        report.wrong += wrong
        room = max(MAX_NOTED - self.noted[name], 0)
        known = {(one.place, one.key) for one in self.known if one.read_model == name}
        old = [one for one in wrong if (one.place, str(one.key)) in known]
        others = [one for one in wrong if (one.place, str(one.key)) not in known]
        note_wrong_rows(self.connection, old, live.number)
        new = note_wrong_rows(self.connection, others[:room], live.number)
        self.noted[name] += len(new)
        report.new += new
        for place in {place for place, _ in known}:
            right = keys if place != TABLE else audited.keys
            self.forget_right(live, place, [str(key) for key in right], wrong)

    def known_of(self, live: LiveRows, place: str) -> list[str]:
        """Return the keys of the wrong rows that were known of a read model."""
        name = live.projection.name
        return [
            one.key
            for one in self.known
            if one.read_model == name and one.place == place
        ]

    def forget_right(
        self,
        live: LiveRows,
        place: str,
        keys: Collection[str],
        wrong: Sequence[WrongRow],
    ) -> None:
        """Delete those of *keys* from the wrong rows that are not *wrong* any more."""
        still = {str(one.key) for one in wrong if one.place == place}
        right = {*keys} & {*self.known_of(live, place)} - still
        if right:
            forget_right_rows(self.connection, live.projection.name, place, right)

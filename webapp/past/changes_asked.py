"""What changed in a list between two moments: what is asked, and the answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import request

from eventstore.cursors import decode_cursor, encode_cursor
from eventstore.errors import UnknownReadModel
from eventstore.past.differences import compare_moments
from eventstore.past.registry import PastCopy
from eventstore.projections.column import KINDS
from eventstore.projections.projection import Key, Projection
from eventstore.projections.table_differences import DifferenceCounts, RowDifference
from webapp.current_shop import the_shop
from webapp.past.making import WantedCopy, being_made, find_or_make
from webapp.past.moment_asked import (
    AskedMoment,
    moment_of_position,
    moment_of_time,
    written,
)
from webapp.past.subjects import Subject
from webapp.problems import Problem
from webapp.read_connection import note_old_rows
from webapp.read_source import lend_primary

MOMENTS = ("from", "from_position", "to", "to_position")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """
    What differs between *begin* and *end*; None is the present, with the live rows.

    *following* is the cursor of the page after *rows*, None if there is none.
    """

    subject: Subject
    begin: AskedMoment
    end: AskedMoment | None
    counts: DifferenceCounts
    rows: Sequence[RowDifference]
    following: str | None

    @property
    def parameters(self) -> Mapping[str, str]:
        """The parameters of an address that asks for it."""
        return {**written("from", self.begin), **written("to", self.end)}


def moment_in_address(name: str) -> AskedMoment | None:
    """Return the moment in the parameter *name*, None if it has none or is today."""
    position = request.args.get(f"{name}_position", "")
    text = request.args.get(name, "")
    if position and text:
        raise Problem("bad-request", f"Give {name} or {name}_position, not both.")
    if position:
        return moment_of_position(f"{name}_position", position)
    return moment_of_time(name, text) if text else None


def find_changes(
    subject: Subject, begin: AskedMoment | None, end: AskedMoment | None, limit: int
) -> Changes:
    """
    Return at most *limit* rows that differ, behind the cursor in the address.

    Raises the Problem that *begin* is missing or behind *end*, and those of
    `find_or_make`.
    """
    if begin is None:
        raise Problem("bad-request", "from must be a day before today, or a moment.")
    asked = [one for one in (begin, end) if one is not None]
    times = [one.at for one in asked if one.at is not None]
    positions = [one.position for one in asked if one.position is not None]
    if sorted(times) != times or sorted(positions) != positions:
        raise Problem("bad-request", "from must not be after to.")
    behind = key_behind(subject)
    copies = find_copies(subject, [begin, *([] if end is None else [end])])
    numbers = [copy.number for copy in copies]
    if end is None:
        note_if_old(subject.projection)
    try:
        # Of its own transaction all is seen as of one moment.
        with the_shop().transaction() as connection:
            found = compare_moments(
                connection,
                subject.projection,
                numbers[0],
                numbers[1] if end is not None else None,
                columns=subject.columns,
                behind=behind,
                limit=limit + 1,
            )
    except psycopg.errors.UndefinedTable as error:
        if "_at_" not in str(error):
            # Of the live rows.
            name = subject.projection.name
            raise Problem("read-model-missing", f"{name} has no rows now.") from error
        # It was dropped a moment ago, and is wanted at the next look.
        raise being_made(()) from error
    except UnknownReadModel as error:
        raise Problem("read-model-missing", f"{error}") from error
    has_more = len(found.rows) > limit
    rows = found.rows[:limit]
    return Changes(
        subject=subject,
        begin=begin,
        end=end,
        counts=found.counts,
        rows=rows,
        following=encode_cursor(order_of(subject), [rows[-1].key])
        if has_more
        else None,
    )


def find_copies(subject: Subject, moments: Sequence[AskedMoment]) -> list[PastCopy]:
    wanted = [WantedCopy(subject.projection, one.at, one.position) for one in moments]
    with the_shop().lent(keep_after=(Problem,)) as connection:
        return find_or_make(connection, wanted)


def note_if_old(projection: Projection) -> None:
    """Have the page say that the live rows are old, if they are."""
    with lend_primary([projection]) as source:
        note_old_rows(projection.name, source.reached[0])


def key_behind(subject: Subject) -> Key | None:
    """Return the key in the cursor. Raises BadCursor."""
    after = request.args.get("after")
    if not after:
        return None
    kind: Any = KINDS[kind_of_key(subject)]
    key: Key = decode_cursor(after, order_of(subject), [kind])[0]
    return key


def kind_of_key(subject: Subject) -> str:
    hints = subject.view.hints
    return "bigint" if hints[subject.projection.key] is int else "text"


def order_of(subject: Subject) -> str:
    return f"changes of {subject.name}"

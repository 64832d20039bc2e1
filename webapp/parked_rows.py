"""
What is said of rows that are old, because an event of theirs cannot be shown.

It is asked for only where the freshness says that something is parked: without that an
answer costs no further round trip. Pages find it in `g`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import g

from eventstore.connection import driver_connection
from eventstore.projections.freshness import Freshness, Omission
from eventstore.projections.parked_rows import find_parked_of_rows
from eventstore.projections.parked_streams import ParkedStream, find_parked
from eventstore.projections.projection import Key, Projection
from webapp.json_values import as_json
from webapp.problems import Problem


@dataclass(frozen=True, slots=True)
class Marks:
    """
    The parked streams of the rows that are shown: by key, only for rows that have one.

    *key* is the name of the rows' field that has it. *left_out* counts the parked
    streams that belong to none of these rows.
    """

    key: str = ""
    by_key: Mapping[Key, ParkedStream] = field(default_factory=dict)
    left_out: Omission | None = None

    def of(self, rows: Sequence[Any]) -> Iterator[tuple[Any, ParkedStream | None]]:
        """Yield *rows*, each with its mark if it has one."""
        for row in rows:
            yield row, self.by_key.get(getattr(row, self.key)) if self.by_key else None


NO_MARKS = Marks()


def mark_rows(
    connection: sa.Connection,
    projection: Projection,
    rows: Sequence[Any],
    position: Freshness,
    *,
    is_list: bool = True,
) -> Marks:
    """
    Return the marks of *rows*, which are all that is shown of a read model.

    Streams of other rows are left out of a list, not of what is about one row.
    """
    omission = position.parked.get(projection.name)
    if omission is None:
        return NO_MARKS
    found = find_parked_of_rows(driver_connection(connection), projection, rows)
    by_key = {
        getattr(row, projection.key): some[0]
        for row, some in zip(rows, found, strict=True)
        if some
    }
    shown = {p.stream_id for some in found for p in some if p.dropped_at is None}
    left_out = omission_beside(omission, len(shown)) if is_list else None
    marks = Marks(projection.key, by_key, left_out)
    g.setdefault("marks", {})[projection.name] = marks.by_key
    if marks.left_out is not None:
        g.setdefault("left_out", {})[projection.name] = marks.left_out
    return marks


def omission_beside(omission: Omission, shown: int) -> Omission | None:
    """Return what is left out besides the *shown* streams, if anything is."""
    number = omission.number - shown
    return omission._replace(number=number) if number > 0 else None


def mark_one(
    connection: sa.Connection, projection: Projection, row: Any, position: Freshness
) -> Marks:
    """
    Return the mark of the row that an answer is about.

    Streams of other rows are left out of it only if it adds up what others have.
    """
    if projection.name not in position.parked:
        return NO_MARKS
    adds_up = any(lookup.feeds for lookup in projection.lookups)
    marks = mark_rows(connection, projection, [row], position, is_list=adds_up)
    for mark in marks.by_key.values():
        note_old(mark)
    return marks


def find_mark(
    connection: sa.Connection,
    projection: Projection,
    stream_id: str | None,
    position: Freshness,
) -> ParkedStream | None:
    """Return the stream if it is parked for a read model."""
    if stream_id is None or projection.name not in position.parked:
        return None
    driver = driver_connection(connection)
    for mark in find_parked(driver, projection.name, [stream_id]):
        note_old(mark)
        return mark
    return None


def note_old(mark: ParkedStream) -> None:
    """Have the page say that what it is about is old."""
    known: ParkedStream | None = g.get("old")
    if known is None or mark.since < known.since:
        g.old = mark


def refuse_parked(
    connection: sa.Connection, projection: Projection, key: Key, position: Freshness
) -> None:
    """Raise the Problem that a row is not there because its stream is parked, if so."""
    mark = find_mark(connection, projection, projection.stream_of(key), position)
    if mark is None:
        return
    del g.old
    category, _, subject = mark.stream_id.partition("-")
    raise Problem(
        "parked",
        f"{category.capitalize()} {subject} has been set aside since"
        f" {as_json(mark.since.replace(microsecond=0))}, because one of its changes"
        " cannot be shown. Nothing of it is lost, and it will be shown when an operator"
        " has mended the fault.",
        **parked_field(mark),
        position=position.reached,
    )


def parked_field(mark: ParkedStream | None) -> dict[str, Any]:
    """Return a mark as fields of JSON; error and line are for operators alone."""
    if mark is None:
        return {}
    return {"parked": {"since": as_json(mark.since), "stream": mark.stream_id}}


def left_out_field(marks: Marks) -> dict[str, Any]:
    return {} if marks.left_out is None else {"left_out": marks.left_out.number}

"""
Compare a filled generation with the live one, where both stand at the same position.

The live checkpoint is held only until a snapshot is open in which both have read the
same events; they are compared inside of it, while the live rows are caught up.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import sql

from eventstore.projections.generations import LiveGeneration, shape_of
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA, Table
from eventstore.projections.table_differences import (
    NONE,
    DifferenceCounts,
    RowDifference,
    count_differences,
    find_differences,
)
from eventstore.projections.tables import tables_of
from eventstore.rebuilding.filling import read_up_to
from eventstore.subscriptions.subscription import Subscription

Fold = Literal["same", "changed", "unknown"]

EXAMPLES = 100
"""Rows that differ, of which a report says what differs."""
SECONDS_TO_WAIT = 10.0
"""So long a comparison waits for live rows that are behind the new ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """
    What differs between the live rows, `before`, and those of a new filling, `after`.

    Both have read the log up to *position*. *fold* says whether the code of the fold is
    that by which the live rows were filled. *columns* are the names of those that were
    compared; *is_whole* says whether these are all of both. *rows* counts those that
    differ, *lookups* the same by the name of a look-up; those of parked streams are
    only in their `apart`, if it is known which they are. *parked_unnamed* is the number
    of parked streams of which that is not known: their rows are among those that
    differ. *examples* are the first of the rows. *seconds_held* is how long the live
    rows were not caught up.
    """

    position: int
    fold: Fold
    columns: Sequence[str]
    is_whole: bool
    rows: DifferenceCounts
    lookups: Mapping[str, DifferenceCounts] = field(default_factory=dict)
    examples: Sequence[RowDifference] = ()
    parked_unnamed: int = 0
    seconds_held: float = 0.0

    @property
    def differing(self) -> int:
        """How many rows differ, of look-ups, too, and not those of parked streams."""
        return self.rows.rows + sum(one.rows for one in self.lookups.values())


class LiveRowsAway(Exception):
    """There are no live rows that the new ones can be compared with; it says why."""


class LiveRowsStuck(LiveRowsAway):
    """The live rows have not read what the new ones have; they may do so later."""


def compare(
    connection: psycopg.Connection[Any],
    other: psycopg.Connection[Any],
    projection: Projection,
    subscription: Subscription,
    number: int,
    live: LiveGeneration,
) -> Comparison:
    """
    Return what differs between the live generation and *number*, a filled one.

    *subscription* fills it; *other* is a second session in autocommit. Raises
    LiveRowsAway, RebuildFailed and psycopg's errors; LiveRowsStuck, if waiting helps.
    """
    tables, former = tables_of(projection, number), tables_of(projection, live.number)
    with still(connection, other, subscription, former.name) as (position, held):
        columns = common_columns(other, former.rows, tables.rows)
        if projection.key not in columns:
            raise LiveRowsAway("their keys are others")
        parked = find_parked_by(other, former.name, tables.name)
        apart = of_parked(projection.streams, parked)
        has_unnamed = not projection.streams
        compared = [name for name in columns if name != projection.key]
        is_whole = live.shape == shape_of(projection)
        rows = count_differences(
            other, former.rows, tables.rows, columns=compared, apart=apart
        )
        lookups: dict[str, DifferenceCounts] = {}
        examples: Sequence[RowDifference] = ()
        if is_whole:
            for lookup in projection.lookups:
                of = {} if lookup.category is None else {lookup.key: lookup.category}
                has_unnamed |= not of
                lookups[lookup.name] = count_differences(
                    other,
                    former.lookups[lookup.name],
                    tables.lookups[lookup.name],
                    apart=of_parked(of, parked),
                )
            if rows.rows:
                examples = find_differences(
                    other, former.rows, tables.rows, limit=EXAMPLES, apart=apart
                )
        return Comparison(
            position=position,
            fold=compare_folds(other, former.name, tables.name),
            columns=compared,
            is_whole=is_whole,
            rows=rows,
            lookups=lookups,
            examples=examples,
            parked_unnamed=len(parked) if has_unnamed else 0,
            seconds_held=held,
        )


@contextmanager
def still(
    connection: psycopg.Connection[Any],
    other: psycopg.Connection[Any],
    subscription: Subscription,
    live: str,
) -> Iterator[tuple[int, float]]:
    """
    Open a snapshot on *other* in which both generations have read the same events.

    Yields the position, and the seconds for which the checkpoint of the subscription
    *live* was held.
    """
    until = time.monotonic() + SECONDS_TO_WAIT
    while True:
        with connection.transaction():
            row = connection.execute(
                """
                SELECT checkpoint, public.checkpoint_fault(checkpoint, event_id)
                FROM public.subscriptions WHERE name = %s FOR UPDATE
                """,
                (live,),
            ).fetchone()
            began = time.monotonic()
            if row is None:
                raise LiveRowsAway("their checkpoint was taken away")
            position, fault = row
            if fault is not None:
                raise LiveRowsAway("they were made from another log")
            # Committed by the other session, so that its snapshot sees it.
            reached = read_up_to(other, subscription, position, lambda _: None)
            if reached == position:
                other.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                other.execute("SELECT FROM public.subscriptions LIMIT 1")
                held = time.monotonic() - began
        if reached == position:
            break
        if time.monotonic() > until:
            raise LiveRowsStuck(
                f"the live rows stand still at {position:,}, behind the new ones"
            )
        time.sleep(0.1)
    try:
        yield position, held
    finally:
        with suppress(psycopg.Error):
            other.execute("ROLLBACK")


def common_columns(
    connection: psycopg.Connection[Any], before: Table, after: Table
) -> list[str]:
    """Return the names of the columns that both tables have, of the same type."""
    rows = connection.execute(
        """
        SELECT a.attname FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_attribute AS b
            ON (b.attname, b.atttypid, b.attrelid)
                = (a.attname, a.atttypid, to_regclass(%s))
        WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
        """,
        [f"{SCHEMA}.{table.name}" for table in (before, after)],
    )
    found = {name for (name,) in rows}
    return [name for name in after.columns if name in found]


def find_parked_by(
    connection: psycopg.Connection[Any], *subscriptions: str
) -> list[str]:
    """Return the streams that are parked for one of *subscriptions*."""
    rows = connection.execute(
        "SELECT DISTINCT stream_id FROM public.parked_streams"
        " WHERE subscription = ANY (%s)",
        (list(subscriptions),),
    )
    return [stream_id for (stream_id,) in rows]


def of_parked(streams: Mapping[str, str], parked: Collection[str]) -> sql.Composable:
    """
    Return the condition of the rows that one of the streams *parked* feeds.

    *streams* are categories by the column that has the rest of a stream's id. Where
    there are none it could be any row, and it is none: a single parked stream would let
    any difference pass.
    """
    if not parked or not streams:
        return NONE
    conditions = [
        sql.SQL("({} || {}::text) = ANY ({})").format(
            f"{category}-", sql.Identifier(alias, column), list(parked)
        )
        for column, category in streams.items()
        for alias in ("b", "a")
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))


def compare_folds(connection: psycopg.Connection[Any], before: str, after: str) -> Fold:
    """Return whether two generations were filled by the same code."""
    rows = connection.execute(
        "SELECT generation, fold_version FROM public.fillings"
        " WHERE generation = ANY (%s)",
        ([before, after],),
    )
    versions = dict(rows.fetchall())
    old, new = versions.get(before), versions.get(after)
    if old is None or new is None:
        return "unknown"
    return "same" if old == new else "changed"

"""What differs between two moments of a read model, or a moment and the live rows."""

from collections.abc import Collection
from typing import Any, NamedTuple

import psycopg

from eventstore.errors import UnknownReadModel
from eventstore.past.registry import tables_of_copy
from eventstore.projections.generations import live_generations
from eventstore.projections.projection import Key, Projection
from eventstore.projections.table import Table
from eventstore.projections.table_differences import (
    DifferenceCounts,
    RowDifference,
    compare_tables,
)
from eventstore.projections.tables import tables_of


class MomentDifferences(NamedTuple):
    """How many rows differ, and some of them in the order of their keys."""

    counts: DifferenceCounts
    rows: list[RowDifference]


def compare_moments(
    connection: psycopg.Connection[Any],
    projection: Projection,
    before: int | None,
    after: int | None,
    *,
    columns: Collection[str] | None = None,
    behind: Key | None = None,
    limit: int,
) -> MomentDifferences:
    """
    Return what differs between two copies; None is the live generation.

    *before* and *after* are their numbers, *columns* the names of those that are
    compared. At most *limit* rows are returned, behind the key *behind*. *connection*
    has begun a transaction and asked nothing yet: what is compared is of one moment.

    Raises UnknownReadModel without a live generation, and psycopg's UndefinedTable if a
    copy was dropped.
    """
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old = table_of(connection, projection, before)
    new = table_of(connection, projection, after)
    counts, rows = compare_tables(
        connection, old, new, columns=columns, behind=behind, limit=limit
    )
    return MomentDifferences(counts, rows)


def table_of(
    connection: psycopg.Connection[Any], projection: Projection, number: int | None
) -> Table:
    """Return the rows of a copy, or of the live generation."""
    if number is not None:
        return tables_of_copy(projection, number).rows
    live = live_generations(connection).get(projection.name)
    if live is None:
        raise UnknownReadModel(projection.name)
    return tables_of(projection, live.number).rows

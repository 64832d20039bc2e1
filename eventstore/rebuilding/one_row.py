"""Make one row once more from its streams, and say what differed."""

from dataclasses import dataclass
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject, ReadModelOutdated, RebuildFailed
from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.parked_streams import find_positions
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.recompute import Recomputation
from eventstore.projections.table_differences import RowDifference, difference_of
from eventstore.projections.tables import Tables, tables_of
from eventstore.steps import send_all


@dataclass(frozen=True, slots=True, kw_only=True)
class RecomputedRow:
    """
    A row as its streams make it; None: there is none.

    *key* is its number or text.
    *position* is the one up to which they were read, *difference* what was written, or
    None if nothing differed. *parked* are those of its streams that are passed over.
    """

    key: Key
    row: Row | None
    position: int
    difference: RowDifference | None
    parked: tuple[str, ...] = ()


def recompute_row(
    connection: psycopg.Connection[Any],
    projection: Projection,
    key: str,
    *,
    masters: MasterKeys | None = None,
) -> RecomputedRow:
    """
    Fold the streams that feed the row *key*, a text, and write it if it differs.

    Its read model is not caught up meanwhile. *connection* is in autocommit, *masters*
    open the personal fields of events.

    Raises RebuildFailed where it cannot be told which streams feed the row, or one
    cannot be folded, ReadModelOutdated where the rows were made from another
    definition, and TooIntertwined.
    """
    live = live_generations(connection).get(projection.name)
    if live is None or live.shape != shape_of(projection):
        raise ReadModelOutdated(projection.name)
    tables = tables_of(projection, live.number)
    keys = tables.rows.keys_from([key])
    if not keys:
        raise RebuildFailed(projection.name, f"its keys are numbers, and {key} is none")
    with connection.transaction():
        row = connection.execute(
            "SELECT checkpoint FROM public.subscriptions WHERE name = %s FOR UPDATE",
            (tables.name,),
        ).fetchone()
        if row is None:
            raise ReadModelOutdated(projection.name)
        return recompute(connection, projection, tables, keys[0], masters, row[0])


def recompute(
    connection: psycopg.Connection[Any],
    projection: Projection,
    tables: Tables,
    key: Key,
    masters: MasterKeys | None,
    up_to: int,
) -> RecomputedRow:
    """Make and write the row, in the transaction that holds the checkpoint."""
    loaded = tables.rows.load([key]).send(connection)
    before = tables.rows.loaded(loaded).get(key)
    streams = set() if before is None else set(projection.streams_of(before))
    own = projection.stream_of(key)
    if own is not None:
        streams = {own}
    if not streams:
        reason = (
            "there is no such row, and nothing says which streams would feed it"
            if projection.streams
            else "it does not say which streams its rows are made from"
        )
        raise RebuildFailed(projection.name, f"{reason}: rebuild all of it")
    parked = find_positions(connection, tables.name)
    work = Recomputation(connection, projection, tables, masters, up_to)
    done = work.run(streams, parked)
    for failure in done.failures:
        error = CannotProject(failure.position, failure.error)
        raise RebuildFailed(projection.name, str(error)) from error
    after = done.rows.get(key)
    fed = streams if after is None else {*streams, *projection.streams_of(after)}
    difference = difference_of(key, before, after)
    if difference is not None:
        send_all(connection, tables.rows.store({key: after}))
    return RecomputedRow(
        key=key,
        row=after,
        position=up_to,
        difference=difference,
        parked=tuple(sorted(fed & parked.keys())),
    )

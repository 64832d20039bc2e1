"""Make rows once more from their streams, and compare them with what the table has."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import TooIntertwined
from eventstore.explaining.live_rows import LiveRows, load_rows
from eventstore.explaining.log_folding import LogFolding, fold_log
from eventstore.explaining.page_walk import load_all
from eventstore.projections.projection import Key, Row
from eventstore.projections.recompute import Recomputation
from eventstore.projections.table_differences import difference_of

MAX_EVENTS = 20_000
"""Events that are folded for a row at most; one that needs more is left out."""
TABLE = "table"
"""Where a row lies that is in no other store."""

Kind = Literal["changed", "missing", "unexpected", "different"]


class WrongRow(NamedTuple):
    """
    A row that is not what its events make.

    *place* is the table or the name of a store. A *kind* of `changed` has other values
    in *columns*, `missing` and `unexpected` say that it is not there or should not be,
    and `different` that a store has it otherwise than the table. *shown* and *wanted*
    are the rows, None where there is none. *streams* are those it was looked at by.
    """

    read_model: str
    key: Key
    place: str
    kind: Kind
    columns: Sequence[str]
    shown: Row | None
    wanted: Row | None
    streams: Sequence[str]


@dataclass(slots=True)
class AuditedRows:
    """
    What was looked at: the *keys* of rows, and what is wrong of them.

    *left_out* counts what could not be made once more: the rows of parked streams, of
    streams that cannot be folded, of too many events, and of people whose forgetting
    the read model has not read yet.
    """

    keys: list[Key] = field(default_factory=list)
    wrong: list[WrongRow] = field(default_factory=list)
    left_out: int = 0

    def add(self, other: "AuditedRows") -> None:
        self.keys += other.keys
        self.wrong += other.wrong
        self.left_out += other.left_out


def audit_streams(
    connection: psycopg.Connection[Any],
    live: LiveRows,
    groups: Sequence[Collection[str]],
    masters: MasterKeys | None,
    *,
    most: int = MAX_EVENTS,
    is_over: Callable[[], bool] = lambda: False,
) -> AuditedRows:
    """
    Compare all rows that these streams feed, in the caller's one moment.

    Each of *groups* has the streams that a row is begun with. They are folded together;
    where that does not go, the halves are. Once *is_over*, what is left is left out.
    """
    if not groups:
        return AuditedRows()
    if is_over():
        return AuditedRows(left_out=len(groups))
    streams = {stream_id for group in groups for stream_id in group}
    work = Recomputation(
        connection, live.projection, live.tables, masters, live.position, most
    )
    try:
        done = work.run(streams, live.parked)
    except TooIntertwined:
        is_whole = False
    else:
        is_whole = (
            not done.failures
            and work.read.isdisjoint(live.parked)
            # Right: what changed their events, a forgetting, comes later.
            and work.read.isdisjoint(live.being_forgotten)
        )
    if not is_whole:
        if len(groups) == 1:
            return AuditedRows(left_out=1)
        half = len(groups) // 2
        halves = [
            audit_streams(connection, live, some, masters, most=most, is_over=is_over)
            for some in (groups[:half], groups[half:])
        ]
        halves[0].add(halves[1])
        return halves[0]
    # A row whose stream's column is wrong was not found by it.
    others = [key for key in done.rows if key not in done.existing]
    held = {**done.existing, **load_rows(connection, live, others)}
    return compare_rows(live, done.rows, held, sorted(streams))


def compare_rows(
    live: LiveRows,
    wanted: Mapping[Key, Row | None],
    held: Mapping[Key, Row],
    streams: Sequence[str],
) -> AuditedRows:
    """Compare what rows are *wanted* to be with what the table has of them."""
    audited = AuditedRows(keys=[key for key in wanted if key in held])
    for key, row in wanted.items():
        shown = held.get(key)
        difference = difference_of(key, shown, row)
        if difference is None:
            continue
        kind: Kind = "changed"
        if shown is None:
            kind = "missing"
        elif row is None:
            kind = "unexpected"
        name = live.projection.name
        named = streams_of_row(live, key, row or shown) or streams
        audited.wrong.append(
            WrongRow(name, key, TABLE, kind, difference.columns, shown, row, named)
        )
    return audited


def streams_of_row(live: LiveRows, key: Key, row: Row | None) -> list[str]:
    """Return the stream that is the row's own, or those that it names."""
    own = live.projection.stream_of(key)
    if own is not None or row is None:
        return [] if own is None else [own]
    return live.projection.streams_of(row)


def audit_by_log(
    connection: psycopg.Connection[Any],
    live: LiveRows,
    masters: MasterKeys | None,
    *,
    is_over: Callable[[], bool] = lambda: False,
    told: Callable[[int, int], None] = lambda *_: None,
) -> AuditedRows | None:
    """
    Compare all rows of a read model with a fold of all its events.

    It is for read models that do not name the streams of their rows. Returns None if
    *is_over* said so before the end of the log. *told* is as in `fold_log`.
    """
    folding = LogFolding(live.projection, live.tables, live.parked)
    _, is_whole = fold_log(
        connection, folding, masters, up_to=live.position, is_over=is_over, told=told
    )
    if not is_whole:
        return None
    if live.parked or folding.failures:
        return AuditedRows(left_out=1)
    wanted = {key: row for key, row in folding.rows.by_key.items() if row is not None}
    held = load_all(connection, live.tables.rows)
    keys = {**held, **wanted}
    return compare_rows(live, {key: wanted.get(key) for key in keys}, held, ())

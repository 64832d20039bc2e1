"""
What differs between two tables of the same read model: rows that came, went, changed.

The tables are compared where they lie, in one statement; only rows that differ travel.
Both want to be still meanwhile: ask in one transaction with REPEATABLE READ.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from eventstore.projections.projection import Key, Row
from eventstore.projections.table import Table

NONE = sql.SQL("false")
"""The condition of no row."""
NO_KEYS = sql.SQL("NULL")


class RowDifference(NamedTuple):
    """
    A row that differs: *before* is None where it came, *after* where it went.

    *key* is its number or text. *columns* are the names of the columns that differ, in
    their order; none where the row came or went.
    """

    key: Key
    before: Row | None
    after: Row | None
    columns: Sequence[str]


def difference_of(
    key: Key, before: Row | None, after: Row | None
) -> RowDifference | None:
    """Return what differs between two versions of a row, None if nothing does."""
    if before == after:
        return None
    columns = [
        one.name
        for one in (() if before is None or after is None else fields(after))
        if getattr(before, one.name) != getattr(after, one.name)
    ]
    return RowDifference(key, before, after, columns)


@dataclass(frozen=True, slots=True)
class DifferenceCounts:
    """
    The number of rows that *came* and of those that *went* and that *changed*.

    *columns* counts the changed ones by the column's name. *apart* is the number of
    those that differ and are counted in none of these.
    """

    came: int = 0
    went: int = 0
    changed: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)
    apart: int = 0

    @property
    def rows(self) -> int:
        """How many rows differ."""
        return self.came + self.went + self.changed


def count_differences(
    connection: psycopg.Connection[Any],
    before: Table,
    after: Table,
    *,
    columns: Collection[str] | None = None,
    apart: sql.Composable = NONE,
) -> DifferenceCounts:
    """
    Return how many rows differ between two tables with the same columns.

    *columns* are the names of those that are compared; None: all. *apart* is a
    condition on the rows `b` before and `a` after, where one of them may be NULL: rows
    for which it holds are counted apart.
    """
    compared = compared_columns(before, columns)
    counts, _ = count(connection, before, after, compared, apart=apart)
    return counts


def compare_tables(
    connection: psycopg.Connection[Any],
    before: Table,
    after: Table,
    *,
    behind: Key | None = None,
    limit: int,
    columns: Collection[str] | None = None,
) -> tuple[DifferenceCounts, list[RowDifference]]:
    """
    Return what `count_differences` and `find_differences` do, and join the tables once.

    *behind* is a key, *columns* are names; both are as for `find_differences`.
    """
    compared = compared_columns(before, columns)
    keys = sql.SQL(
        "(array_agg({key} ORDER BY {key}) FILTER (WHERE {is_behind}))[:{limit}]"
    ).format(
        key=key_of_either(before),
        is_behind=is_behind(before, behind),
        limit=sql.Literal(limit),
    )
    counts, found = count(connection, before, after, compared, keys=keys)
    if not found:
        return counts, []
    rows = find_differences(
        connection, before, after, limit=limit, columns=columns, among=found
    )
    return counts, rows


def count(
    connection: psycopg.Connection[Any],
    before: Table,
    after: Table,
    compared: Sequence[str],
    *,
    apart: sql.Composable = NONE,
    keys: sql.Composable = NO_KEYS,
) -> tuple[DifferenceCounts, Sequence[Key] | None]:
    """Return how many rows differ, and what the aggregate *keys* is of them."""
    counted = sql.SQL(", ").join(
        sql.SQL("count(*) FILTER (WHERE {both} AND {differs} AND {apart})").format(
            both=in_both(before), differs=differs([name]), apart=is_not(apart)
        )
        for name in compared
    )
    query = sql.SQL(
        "SELECT count(*) FILTER (WHERE b.{key} IS NULL AND {apart}),"
        " count(*) FILTER (WHERE a.{key} IS NULL AND {apart}),"
        " count(*) FILTER (WHERE {both} AND {apart}),"
        " count(*) FILTER (WHERE NOT {apart}), {keys}, {counted} {joined}"
    ).format(
        key=sql.Identifier(before.key),
        both=in_both(before),
        apart=is_not(apart),
        keys=keys,
        counted=counted if compared else sql.SQL("NULL"),
        joined=joined(before, after, compared),
    )
    [row] = connection.execute(query).fetchall()
    came, went, changed, others, found, *by_column = row
    counts = Counter(dict(zip(compared, by_column, strict=False)))
    return DifferenceCounts(came, went, changed, dict(+counts), others), found


def find_differences(
    connection: psycopg.Connection[Any],
    before: Table,
    after: Table,
    *,
    behind: Key | None = None,
    limit: int,
    columns: Collection[str] | None = None,
    apart: sql.Composable = NONE,
    among: Sequence[Key] | None = None,
) -> list[RowDifference]:
    """
    Return the first *limit* rows that differ behind the key *behind*, in order of keys.

    Both tables have the same columns. *columns* are the names of those that are
    compared; None: all. Rows for which *apart* holds are left out, see
    `count_differences`. *among* are the keys of those that are looked at; None: all.
    """
    compared = compared_columns(before, columns)
    query = sql.SQL(
        "SELECT {of_before}, {of_after}, {flags} {joined} AND {apart} AND {is_behind}"
        " ORDER BY {key} LIMIT {limit}"
    ).format(
        of_before=selected(before, "b"),
        of_after=selected(after, "a"),
        flags=sql.SQL("ARRAY[{}]::boolean[]").format(
            sql.SQL(", ").join(differs([name]) for name in compared)
        ),
        joined=joined(before, after, compared, among),
        apart=is_not(apart),
        is_behind=is_behind(before, behind),
        key=key_of_either(before),
        limit=sql.Literal(limit),
    )
    width = len(before.columns)
    return [
        as_difference(before, row[:width], row[width:-1], compared, row[-1])
        for row in connection.execute(query)
    ]


def compared_columns(table: Table, wanted: Collection[str] | None) -> list[str]:
    """Return the names of the columns that are compared, without the key."""
    return [
        name
        for name in table.columns
        if name != table.key and (wanted is None or name in wanted)
    ]


def joined(
    before: Table,
    after: Table,
    compared: Sequence[str],
    among: Sequence[Key] | None = None,
) -> sql.Composable:
    """Return FROM and WHERE of all rows that differ, `b` before and `a` after."""
    return sql.SQL(
        "FROM {before} AS b FULL JOIN {after} AS a ON a.{key} = b.{key}"
        " WHERE (a.{key} IS NULL OR b.{key} IS NULL OR {differs})"
    ).format(
        before=rows_of(before, among),
        after=rows_of(after, among),
        key=sql.Identifier(before.key),
        differs=differs(compared),
    )


def rows_of(table: Table, among: Sequence[Key] | None) -> sql.Composable:
    """Return the rows of *table* with these keys; None: all."""
    if among is None:
        return table.identifier
    return sql.SQL("(SELECT * FROM {} WHERE {} = ANY ({}))").format(
        table.identifier, sql.Identifier(table.key), sql.Literal(list(among))
    )


def key_of_either(table: Table) -> sql.Composable:
    return sql.SQL("coalesce(b.{0}, a.{0})").format(sql.Identifier(table.key))


def is_behind(table: Table, behind: Key | None) -> sql.Composable:
    if behind is None:
        return sql.SQL("true")
    return sql.SQL("{} > {}").format(key_of_either(table), sql.Literal(behind))


def is_not(apart: sql.Composable) -> sql.Composable:
    return sql.SQL("NOT coalesce({}, false)").format(apart)


def in_both(table: Table) -> sql.Composable:
    return sql.SQL("b.{key} = a.{key}").format(key=sql.Identifier(table.key))


def differs(columns: Sequence[str]) -> sql.Composable:
    """Return the condition that one of *columns* differs, in brackets."""
    conditions = [
        sql.SQL("b.{0} IS DISTINCT FROM a.{0}").format(sql.Identifier(name))
        for name in columns
    ]
    if not columns:
        return NONE
    return sql.SQL("({})").format(sql.SQL(" OR ").join(conditions))


def selected(table: Table, alias: str) -> sql.Composable:
    return sql.SQL(", ").join(c.selected(alias) for c in table.columns.values())


def as_difference(
    table: Table,
    before: Sequence[Any],
    after: Sequence[Any],
    compared: Sequence[str],
    flags: Sequence[bool],
) -> RowDifference:
    old = None if before[table.place] is None else table.read(before)
    new = None if after[table.place] is None else table.read(after)
    key = after[table.place] if old is None else before[table.place]
    is_in_both = old is not None and new is not None
    names = [n for n, flag in zip(compared, flags, strict=True) if flag and is_in_both]
    return RowDifference(key, old, new, tuple(names))

"""Rows that stay in memory from one batch of a filling to the next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from eventstore.projections.lookups_in_memory import LookupsInMemory
from eventstore.projections.projection import Key, Lookup, Row, Update
from eventstore.projections.rows_in_memory import RowsInMemory, updated
from eventstore.projections.table import Table
from eventstore.steps import Answer, Statement

MAX_BYTES = 32 * 1024 * 1024
"""Of the rows of a table in memory, as JSON; as objects they take about four times."""
MIN_ROWS = 1_000


class KeptRows(RowsInMemory):
    """
    The rows of a table that only this process writes.

    As long as none had to leave the memory, it has all rows of the table: then nothing
    is loaded, and an update of many rows is no statement of its own.
    """

    def __init__(self, table: Table, *, has_all: bool) -> None:
        super().__init__(table)
        self.has_all = has_all
        self.indexes: dict[tuple[str, ...], dict[tuple[Any, ...], dict[Key, None]]] = {}
        self.bound = MIN_ROWS

    def find_unknown(self, keys: set[Key]) -> set[Key]:
        if self.has_all:
            return set()
        return super().find_unknown(keys)

    def take(self, keys: set[Key], answer: Answer) -> None:
        super().take(keys, answer)
        for key in keys & self.by_key.keys():
            self.note(key, None, self.by_key[key])

    def change(self, key: Key, row: Row | None) -> None:
        self.note(key, self.by_key.get(key), row)
        super().change(key, row)

    def update(self, update: Update) -> None:
        if not self.has_all:
            self.updates.append(update)
        columns = tuple(update.where)
        for key in list(self.index_of(columns).get(tuple(update.where.values()), ())):
            row = self.by_key[key]
            new = updated(row, update)
            if new is not row:
                self.change(key, new)

    def index_of(
        self, columns: tuple[str, ...]
    ) -> Mapping[tuple[Any, ...], Mapping[Key, None]]:
        """Return the keys of the rows by what they have in *columns*."""
        if columns not in self.indexes:
            self.indexes[columns] = {}
            for key, row in self.by_key.items():
                self.note(key, None, row)
        return self.indexes[columns]

    def note(self, key: Key, old: Row | None, new: Row | None) -> None:
        """Move a row in the indexes, from where it was to where it is."""
        for columns, index in self.indexes.items():
            before, after = values_of(old, columns), values_of(new, columns)
            if before != after and before is not None:
                index[before].pop(key, None)
            if after is not None:
                index.setdefault(after, {})[key] = None

    def end_batch(self, statements: Sequence[Statement]) -> None:
        """Take the changed rows as written by *statements*, and let some go."""
        if self.changed:
            size = sum(len(one) for s in statements for one in texts_of(s))
            self.bound = max(MIN_ROWS, MAX_BYTES * len(self.changed) // max(size, 1))
        self.changed.clear()
        self.updates.clear()
        for key in list(self.by_key)[: max(len(self.by_key) - self.bound, 0)]:
            self.has_all = False
            self.note(key, self.by_key.pop(key), None)
        if not self.has_all:
            self.asked = set(self.by_key)


class KeptLookups(LookupsInMemory):
    """The rows of look-ups that only this process writes."""

    def __init__(
        self,
        lookups: Sequence[Lookup],
        tables: Mapping[str, Table],
        *,
        has_all: bool,
    ) -> None:
        super().__init__(lookups, tables)
        self.has_all = has_all

    def find_unknown(self, keys: Mapping[str, set[Key]]) -> Mapping[str, set[Key]]:
        if self.has_all:
            return {}
        wanted = {name: some - self.rows[name].keys() for name, some in keys.items()}
        return {name: some for name, some in wanted.items() if some}

    def end_batch(self, statements: Sequence[Statement]) -> None:
        """Take the changed rows as written by *statements*, and let some go."""
        count = sum(map(len, self.changed.values()))
        size = sum(len(one) for s in statements for one in texts_of(s))
        bound = max(MIN_ROWS, MAX_BYTES * count // max(size, 1))
        for name, changed in self.changed.items():
            changed.clear()
            rows = self.rows[name]
            for key in list(rows)[: max(len(rows) - bound, 0)] if count else ():
                self.has_all = False
                del rows[key]


def values_of(row: Row | None, columns: Iterable[str]) -> tuple[Any, ...] | None:
    return None if row is None else tuple(getattr(row, name) for name in columns)


def texts_of(statement: Statement) -> Iterable[str]:
    return (value for value in statement.values if isinstance(value, str))

"""Rows that stay in memory from one batch of a filling to the next."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from eventstore.projections.lookups_in_memory import LookupsInMemory
from eventstore.projections.projection import Key, Lookup, Row, Update
from eventstore.projections.rows_in_memory import RowsInMemory, updated
from eventstore.projections.table import Table
from eventstore.steps import Answer, Statement

MAX_BYTES = 32 * 1024 * 1024
"""Of the rows of a table in memory, as JSON; as objects they take about four times."""
MIN_ROWS = 1_000
ROWS_AT_ONCE = 2_000
"""Rows that one statement writes: what it takes of the server's memory is bounded."""


class KeptRows(RowsInMemory):
    """
    The rows of a table that only this process writes.

    As long as none had to leave the memory, it *has_all* rows of the table: then
    nothing is loaded, and an update of many rows is no statement of its own.
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

    def delete(self, key: Key) -> None:
        self.note(key, self.by_key.get(key), None)
        super().delete(key)

    def take_back(self, updates: int) -> None:
        before = {key: self.by_key.get(key) for key, _, _ in self.undo}
        super().take_back(updates)
        for key, row in before.items():
            self.note(key, row, self.by_key.get(key))

    def update(self, update: Update) -> None:
        if not self.has_all:
            self.updates.append(update)
        columns = tuple(update.where)
        for key in list(self.index_of(columns).get(tuple(update.where.values()), ())):
            row = self.by_key.get(key)
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

    def pieces(self) -> Iterator[Statement]:
        """
        Yield what is not written yet: the updates, then the rows, in pieces.

        Each is put together when it is sent: all of them may be too large, and a
        transaction would wait for them.
        """
        yield from map(self.table.update, self.updates)
        changed = {key: self.by_key[key] for key in self.changed}
        yield from store_in_pieces(self.table, changed)

    def note_written(self) -> None:
        self.changed.clear()
        self.updates.clear()

    def end_batch(self, statements: Sequence[Statement]) -> None:
        """Take the changed rows as written by *statements*, and let some go."""
        if self.changed:
            self.bound = bound_of(statements, len(self.changed))
        self.note_written()
        self.let_go(self.bound)

    def let_go(self, most: int) -> None:
        """Let the rows that came first go, until at most *most* are left."""
        for key in list(self.by_key)[: max(len(self.by_key) - most, 0)]:
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

    def pieces(self) -> Iterator[Statement]:
        """Yield the statements that write what is not written yet."""
        for name, keys in self.changed.items():
            rows = {key: self.rows[name].get(key) for key in keys}
            yield from store_in_pieces(self.tables[name], rows)

    def note_written(self) -> None:
        for changed in self.changed.values():
            changed.clear()

    def end_batch(self, statements: Sequence[Statement]) -> None:
        """Take the changed rows as written by *statements*, and let some go."""
        if count := sum(map(len, self.changed.values())):
            self.let_go(bound_of(statements, count))
        self.note_written()

    def let_go(self, most: int) -> None:
        """Let the rows that came first go, until each look-up has at most *most*."""
        for rows in self.rows.values():
            for key in list(rows)[: max(len(rows) - most, 0)]:
                self.has_all = False
                del rows[key]


def store_in_pieces(
    table: Table, rows: Mapping[Key, Row | None]
) -> Iterator[Statement]:
    """Yield the statements that write *rows*, some thousand at a time."""
    waiting = iter(rows.items())
    while piece := dict(islice(waiting, ROWS_AT_ONCE)):
        yield from table.store(piece)


def bound_of(statements: Sequence[Statement], count: int) -> int:
    """Return how many rows to keep, of which *statements* have written *count*."""
    size = sum(len(one) for s in statements for one in texts_of(s))
    return max(MIN_ROWS, MAX_BYTES * count // max(size, 1))


def values_of(row: Row | None, columns: Iterable[str]) -> tuple[Any, ...] | None:
    return None if row is None else tuple(getattr(row, name) for name in columns)


def texts_of(statement: Statement) -> Iterable[str]:
    return (value for value in statement.values if isinstance(value, str))

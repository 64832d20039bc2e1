"""Rows that stay in memory from one batch to the next, and are written late."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from eventstore.projections.lookups_in_memory import LookupsInMemory
from eventstore.projections.projection import Key, Lookup, Row, Update
from eventstore.projections.rows_in_memory import RowsInMemory, updated
from eventstore.projections.table import Table
from eventstore.steps import Answer, Statement

ROWS_AT_ONCE = 2_000
"""Rows that one statement writes: what it takes of the server's memory is bounded."""

Values = tuple[Any, ...]


class KeptRows(RowsInMemory):
    """
    The rows of a filling: all of them in memory, or those that were met last.

    As long as the table is empty (*is_complete*), an update of many rows is one of the
    rows in memory and no statement. They are found by an index, not by looking at each.
    """

    def __init__(self, table: Table, *, is_complete: bool) -> None:
        super().__init__(table)
        self.is_complete = is_complete
        # By the columns of updates and their values: the keys of rows that had them
        # once. Rows are looked at again, so one too many does no harm.
        self.index: dict[tuple[str, ...], defaultdict[Values, set[Key]]] = {}

    def take(self, keys: set[Key], answer: Answer) -> None:
        """Take the rows *keys* as they were read, with the updates that they missed."""
        super().take(keys, answer)
        for key in keys:
            self.note(key, self.by_key.get(key))

    def change(self, key: Key, row: Row | None) -> None:
        super().change(key, row)
        self.note(key, row)

    def note(self, key: Key, row: Row | None) -> None:
        """Put a row into the indexes there are."""
        if row is not None:
            for columns, keys in self.index.items():
                keys[tuple(getattr(row, name) for name in columns)].add(key)

    def update(self, update: Update) -> None:
        if not self.is_complete:
            self.updates.append(update)
        columns = tuple(update.where)
        if columns not in self.index:
            self.index[columns] = defaultdict(set)
            for key, row in self.by_key.items():
                self.note(key, row)
        for key in sorted(self.index[columns].get(tuple(update.where.values()), ())):
            row = self.by_key.get(key)
            new = updated(row, update)
            if new is not row:
                self.change(key, new)

    def pieces(self) -> Iterator[Statement]:
        """
        Yield what is not written yet: the updates, then the rows, in pieces.

        Each is put together when it is sent: all of them are too large, and a
        transaction would wait for them.
        """
        yield from map(self.table.update, self.updates)
        changed = {key: self.by_key[key] for key in self.changed}
        yield from store_in_pieces(self.table, changed)

    def note_written(self, *, forget: bool) -> None:
        """Note that all is written; *forget* empties the memory."""
        self.updates.clear()
        self.changed.clear()
        if forget:
            self.is_complete = False
            self.by_key.clear()
            self.asked.clear()
            self.index.clear()


class KeptLookups(LookupsInMemory):
    """The rows of look-ups, which stay from one batch to the next."""

    def __init__(self, lookups: Sequence[Lookup], tables: Mapping[str, Table]) -> None:
        super().__init__(lookups, tables)
        self.asked: dict[str, set[Key]] = {name: set() for name in tables}
        self.asking: dict[str, set[Key]] = {}

    def load(self, keys: Mapping[str, set[Key]]) -> list[Statement]:
        """Return the statements that read the rows that are not here yet."""
        missing = {name: some - self.asked[name] for name, some in keys.items()}
        self.asking = {name: some for name, some in missing.items() if some}
        return super().load(self.asking)

    def take(self, names: Iterable[str], answers: Sequence[Answer]) -> None:
        """Take what was read for those that were asked for, in their order."""
        for (name, keys), answer in zip(self.asking.items(), answers, strict=False):
            self.rows[name].update(self.tables[name].loaded(answer))
            self.asked[name] |= keys

    def pieces(self) -> Iterator[Statement]:
        """Yield the statements that write what is not written yet."""
        for name, keys in self.changed.items():
            rows = {key: self.rows[name].get(key) for key in keys}
            yield from store_in_pieces(self.tables[name], rows)

    def note_written(self, *, forget: bool) -> None:
        """Note that all is written; *forget* empties the memory."""
        for name in self.tables:
            self.changed[name].clear()
            if forget:
                self.rows[name].clear()
                self.asked[name].clear()


def store_in_pieces(
    table: Table, rows: Mapping[Key, Row | None]
) -> Iterator[Statement]:
    """Yield the statements that write *rows*, some thousand at a time."""
    waiting = iter(rows.items())
    while piece := dict(islice(waiting, ROWS_AT_ONCE)):
        yield from table.store(piece)

"""The rows of a batch, as they are folded; each event can be undone."""

from dataclasses import replace

from eventstore.projections.projection import Key, Row, Update
from eventstore.projections.table import Table
from eventstore.steps import Answer, Statement


class RowsInMemory:
    """The rows that are folded, and the updates that others in the table want."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.by_key: dict[Key, Row | None] = {}
        # All that were looked for, also those that are not there.
        self.asked: set[Key] = set()
        # In order: rows are written in the order in which they were changed first.
        self.changed: dict[Key, None] = {}
        self.updates: list[Update] = []
        # What this event has changed: the key, the row before, and whether another
        # event had changed that.
        self.undo: list[tuple[Key, Row | None, bool]] = []

    def find_unknown(self, keys: set[Key]) -> set[Key]:
        """Return those of *keys* whose rows have to be loaded."""
        return keys - self.asked

    def take(self, keys: set[Key], answer: Answer) -> None:
        """Take the rows *keys* as they were read, with the updates that they missed."""
        self.by_key.update(self.table.loaded(answer))
        self.asked |= keys
        for update in self.updates:
            for key in keys & self.by_key.keys():
                self.by_key[key] = updated(self.by_key[key], update)

    def change(self, key: Key, row: Row | None) -> None:
        self.undo.append((key, self.by_key.get(key), key in self.changed))
        self.changed[key] = None
        self.by_key[key] = row

    def delete(self, key: Key) -> None:
        """Have a row be gone, whatever there was of it; it cannot be taken back."""
        self.asked.add(key)
        self.by_key[key] = None
        self.changed[key] = None

    def update(self, update: Update) -> None:
        self.updates.append(update)
        for key, row in self.by_key.items():
            new = updated(row, update)
            if new is not row:
                self.change(key, new)

    def take_back(self, updates: int) -> None:
        """Undo what this event has changed; *updates* is their number before it."""
        while self.undo:
            key, row, was_changed = self.undo.pop()
            self.by_key[key] = row
            if not was_changed:
                self.changed.pop(key, None)
        del self.updates[updates:]

    def written(self) -> list[Statement]:
        """Return what is written: the updates, then the rows, which are newer."""
        updates = [self.table.update(update) for update in self.updates]
        changed = {key: self.by_key[key] for key in self.changed}
        return [*updates, *self.table.store(changed)]


def updated(row: Row | None, update: Update) -> Row | None:
    """Return *row* after *update*: another one if it is among those it changes."""
    if row is None or any(getattr(row, n) != v for n, v in update.where.items()):
        return row
    return replace(row, **update.to)

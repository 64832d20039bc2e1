"""A store of rows in this process, which can be emptied, restored and made to fail."""

import copy as copying
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Key, Projection
from eventstore.stores.row_store import Checkpoint, Copy, Refusal, Shelf, StoredRow


@dataclass
class Content:
    """What the store has: a backup of it is a copy of this."""

    shelves: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    rows: dict[str, dict[Key, StoredRow]] = field(default_factory=dict)


class MemoryRowStore:
    """A store as `RowStore` describes it; *refuses* says which rows it cannot take."""

    name = "memory"
    may_lack_rows = False

    def __init__(
        self,
        projections: Sequence[Projection],
        *,
        shape: str = "first",
        refuses: Callable[[Any], bool] = lambda row: False,
    ) -> None:
        self.projections = projections
        self.shape = shape
        self.refuses = refuses
        self.content = Content()
        self.is_away = False
        self.writes = 0

    def close(self) -> None:
        pass

    def shape_of(self, projection: Projection) -> str:
        return self.shape

    def backup(self) -> Content:
        return copying.deepcopy(self.content)

    def answer(self) -> Content:
        if self.is_away:
            raise StoreAway(self.name, "it is away")
        return self.content

    def load_shelf(self, read_model: str) -> Shelf | None:
        found = self.answer().shelves.get(read_model)
        return msgspec.json.decode(found[1], type=Shelf) if found else None

    def save_shelf(self, read_model: str, shelf: Shelf, term: int) -> None:
        found = self.answer().shelves.get(read_model)
        if found and found[0] > term:
            raise OutdatedWriter(self.name, read_model)
        self.content.shelves[read_model] = (term, msgspec.json.encode(shelf))

    def make(self, copy: Copy) -> None:
        self.answer().rows[copy.name()] = {}
        self.content.checkpoints[copy.name()] = Checkpoint()

    def drop(self, copy: Copy) -> None:
        self.drop_named(copy.read_model, copy.name())

    def find_copies(self, read_model: str) -> Sequence[str]:
        names = self.answer().rows
        return [name for name in names if name.startswith(f"{read_model}_")]

    def drop_named(self, read_model: str, name: str) -> None:
        self.answer().rows.pop(name, None)
        self.content.checkpoints.pop(name, None)

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        rows = self.answer().rows.get(copy.name())
        if rows is None:
            raise CopyMoved(self.name, copy.name())
        self.writes += 1
        refusals = []
        for change in changes:
            known = rows.get(change.key)
            if known and known.change > change.change:
                continue
            row = change.row
            if row is not None and self.refuses(row):
                refusals.append(Refusal(change.key, change.change, "no"))
                row = None
            rows[change.key] = StoredRow(change.change, row)
        return refusals

    def load_checkpoint(self, copy: Copy) -> Checkpoint | None:
        return self.answer().checkpoints.get(copy.name())

    def save_checkpoint(
        self, copy: Copy, checkpoint: Checkpoint, known: Checkpoint
    ) -> None:
        if self.answer().checkpoints.get(copy.name()) != known:
            raise CopyMoved(self.name, copy.name())
        self.content.checkpoints[copy.name()] = checkpoint

    def read(self, copy: Copy, keys: Sequence[Key]) -> Mapping[Key, StoredRow]:
        rows = self.answer().rows[copy.name()]
        return {key: rows[key] for key in keys if key in rows}

    def count(self, copy: Copy) -> int:
        return len(self.answer().rows[copy.name()])

    def keys_behind(self, copy: Copy, key: Key | None, limit: int) -> Sequence[Key]:
        keys: list[Any] = sorted(self.answer().rows[copy.name()], key=str)
        behind = [one for one in keys if key is None or str(one) > str(key)]
        return behind[:limit]

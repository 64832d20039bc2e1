"""The rows of look-ups, as a batch folds them; each event can be undone."""

from collections.abc import Iterable, Mapping, Sequence

from eventstore.projections.projection import Fact, Key, LookedUp, Lookup, Row
from eventstore.projections.table import Table
from eventstore.projections.turns import LookupChange, Turn
from eventstore.steps import Answer, Statement


class LookupsInMemory:
    """
    The rows of all look-ups of a projection: *rows*, by look-up and key.

    Only what `keep` was called for is written.
    """

    def __init__(self, lookups: Sequence[Lookup], tables: Mapping[str, Table]) -> None:
        self.lookups = lookups
        self.tables = tables
        self.rows: dict[str, dict[Key, Row | None]] = {name: {} for name in tables}
        self.changed: dict[str, dict[Key, None]] = {name: {} for name in tables}

    def find_unknown(self, keys: Mapping[str, set[Key]]) -> Mapping[str, set[Key]]:
        """Return those of *keys*, by look-up, whose rows have to be loaded."""
        return keys

    def load(self, keys: Mapping[str, set[Key]]) -> list[Statement]:
        """Return the statements that read the rows *keys*, by look-up."""
        return [self.tables[name].load(some) for name, some in keys.items()]

    def take(self, keys: Mapping[str, set[Key]], answers: Sequence[Answer]) -> None:
        """Take what was read for *keys*, in their order; more answers are others'."""
        for name, answer in zip(keys, answers, strict=False):
            self.rows[name].update(self.tables[name].loaded(answer))

    def fold(self, fact: Fact, turn: Turn) -> None:
        """Fold *fact* into the look-ups that it changes, and note what they were."""
        for lookup in self.lookups:
            key = lookup.key_of(fact)
            if key is not None:
                held = self.rows[lookup.name]
                old = held.get(key)
                held[key] = lookup.fold(old, fact)
                turn.lookups = turn.lookups or []
                turn.lookups.append(LookupChange(lookup.name, key, old))

    def look_up(self, needed: Mapping[str, Key]) -> LookedUp:
        return {name: self.rows[name].get(needed[name]) for name in needed}

    def take_back(self, turn: Turn) -> None:
        """Undo what an event has changed; of several, the last one first."""
        while turn.lookups:
            name, key, old = turn.lookups.pop()
            self.rows[name][key] = old

    def keep(self, turn: Turn) -> None:
        for changed in turn.lookups or ():
            self.changed[changed.name][changed.key] = None

    def forget(self, category: str, subject: str) -> None:
        """Delete the rows that are made from the stream of *subject*."""
        for lookup in self.lookups:
            if lookup.category == category:
                for key in self.tables[lookup.name].keys_from([subject]):
                    self.rows[lookup.name][key] = None
                    self.changed[lookup.name][key] = None

    def streams_of(self, name: str, keys: Iterable[Key]) -> set[str]:
        """Return the streams that the rows *keys* of the look-up *name* are made of."""
        lookup = next(one for one in self.lookups if one.name == name)
        return {s for key in keys if (s := lookup.stream_of(key))}

    def written(self) -> list[Statement]:
        """Return the statements that write what was kept."""
        return [
            statement
            for name, keys in self.changed.items()
            if keys
            for statement in self.tables[name].store(
                {key: self.rows[name].get(key) for key in keys}
            )
        ]

"""The copies of rows in read stores, as the audit compares them with the table."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from eventstore.errors.following import ChangesBegunAgain
from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.explaining.live_rows import LiveRows
from eventstore.explaining.row_audit import WrongRow
from eventstore.projections.changes import find_newest
from eventstore.projections.projection import Key
from eventstore.stores import registry
from eventstore.stores.comparison import find_differing
from eventstore.stores.row_store import Copy, RowStore


class StoreAudit:
    """
    Compares rows with the copies in some stores; a store that is away is left out.

    With each look at rows it looks at as many keys of a copy, from a random one of them
    on: a row that the copy alone has is behind one of them. Caches have no such order,
    and are asked for the rows alone. *connection* is in autocommit.
    """

    def __init__(
        self, connection: psycopg.Connection[Any], stores: Sequence[RowStore]
    ) -> None:
        self.connection = connection
        self.stores = {store.name: store for store in stores}

    def find_wrong(self, live: LiveRows, keys: Sequence[Key]) -> Iterator[WrongRow]:
        """Yield the rows of *keys*, and a few more, that a store has otherwise."""
        for name, store in list(self.stores.items()):
            if live.projection not in store.projections:
                continue
            try:
                yield from self.find_wrong_in(store, live, keys)
            except (StoreAway, CopyMoved):
                # Others say so; this run asks it no more.
                self.stores.pop(name).close()
            except ChangesBegunAgain:
                continue

    def find_wrong_in(
        self, store: RowStore, live: LiveRows, keys: Sequence[Key]
    ) -> Iterator[WrongRow]:
        projection, connection = live.projection, self.connection
        name = projection.name
        shelf = store.load_shelf(name)
        copy = shelf.serving if shelf else None
        newest = find_newest(connection, [name]).get(name)
        if (
            copy is None
            or newest is None
            or newest.generation != live.number
            or not copy.is_of(newest.epoch, newest.generation)
        ):
            return
        refused = registry.find_refused(connection, store.name, name, copy.number)
        looked_at = [*keys, *self.neighbours(store, copy, keys)]
        found = find_differing(connection, store, projection, copy, looked_at, refused)
        for key, _ in found:
            yield WrongRow(
                name,
                key,
                store.name,
                "different",
                (),
                shown=None,
                wanted=None,
                streams=(),
            )

    def neighbours(
        self, store: RowStore, copy: Copy, keys: Sequence[Key]
    ) -> Sequence[Key]:
        """Return keys that *copy* has behind one of *keys*, or first, without these."""
        if store.may_lack_rows:
            return ()
        start = random.choice([None, *keys])
        return [
            key
            for key in store.keys_behind(copy, start, len(keys))
            if key not in set(keys)
        ]

    def close(self) -> None:
        for store in self.stores.values():
            store.close()

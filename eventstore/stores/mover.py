"""Moving pages of changes from PostgreSQL into a copy."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import psycopg

from eventstore.errors.following import ChangesBegunAgain
from eventstore.errors.stores import StoreAway
from eventstore.projections.changes import ChangesPage, read_changes
from eventstore.projections.newest_rows import read_end
from eventstore.projections.projection import Projection
from eventstore.stores import registry
from eventstore.stores.row_store import Checkpoint, Copy, RowStore

ROWS_AT_ONCE = 1_000
MIN_DOUBTED = 20
"""Rows of a page of which a store refuses all, before it is not believed."""


class MovedPage(NamedTuple):
    """
    How many rows were written, and whether the copy has all changes now.

    *newest* is the number of the last change that there was.
    """

    rows: int
    newest: int
    is_last: bool


class Mover:
    """
    Writes rows into the copies of one read model in one store.

    *connection* is in autocommit. *clock* returns seconds since 1970.
    """

    def __init__(
        self,
        store: RowStore,
        projection: Projection,
        connection: psycopg.Connection[Any],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.projection = projection
        self.connection = connection
        self.clock = clock
        self.name = projection.name
        self.checkpoints: dict[int, Checkpoint] = {}
        # Copies, by number, of which it is known that they have refused nothing.
        self.without_refusals: set[int] = set()

    def checkpoint_of(self, copy: Copy) -> Checkpoint | None:
        """Return how far a copy is, None if it is not there; it is read once."""
        if copy.number not in self.checkpoints:
            found = self.store.load_checkpoint(copy)
            if found is None:
                return None
            self.checkpoints[copy.number] = found
        return self.checkpoints[copy.number]

    def move_page(self, copy: Copy, parked: int) -> MovedPage:
        """
        Write the next page of changes into a copy, and its checkpoint behind it.

        *parked* is as in a `Checkpoint`. Raises ChangesBegunAgain, CheckpointNotInLog,
        StoreAway, CopyMoved and the driver's errors.
        """
        known = self.checkpoint_of(copy) or Checkpoint()
        now = self.clock()
        page = self.read_page(copy, known)
        cursor = page.cursor
        if not copy.is_of(cursor.epoch, cursor.generation):
            raise ChangesBegunAgain(
                self.projection.name, cursor.epoch, cursor.generation
            )
        if page.changes:
            self.write(copy, page)
        reached = Checkpoint(
            change=cursor.change,
            key=cursor.key,
            log_position=cursor.position,
            event_id=cursor.event_id,
            position=page.position if page.is_last else known.position,
            certified_at=now if page.is_last else known.certified_at,
            parked=parked,
        )
        self.store.save_checkpoint(copy, reached, known)
        self.checkpoints[copy.number] = reached
        return MovedPage(len(page.changes), page.newest, page.is_last)

    def read_page(self, copy: Copy, known: Checkpoint) -> ChangesPage:
        if self.store.may_lack_rows and known == Checkpoint():
            # It has no row yet, and nobody puts one in before it answers.
            return read_end(self.connection, self.projection)
        return read_changes(
            self.connection, self.projection, known.cursor(copy), limit=ROWS_AT_ONCE
        )

    def write(self, copy: Copy, page: ChangesPage) -> None:
        """Write rows, and note in PostgreSQL those that the store does not take."""
        changes = page.changes
        refusals = self.store.write(copy, changes, page.newest)
        if refusals:
            registry.note_refusals(
                self.connection,
                self.store.name,
                self.name,
                copy.number,
                refusals,
            )
        if len(refusals) == len(changes) >= MIN_DOUBTED:
            # Not the rows are wrong: the server does not understand us.
            raise StoreAway(self.store.name, f"it refused all: {refusals[0].error}")
        if copy.number in self.without_refusals and not refusals:
            return
        refused = {refusal.key for refusal in refusals}
        registry.forget_refusals(
            self.connection,
            self.store.name,
            self.name,
            copy.number,
            [(c.key, c.change) for c in changes if c.key not in refused],
        )
        self.without_refusals.discard(copy.number)
        if not registry.find_refused(
            self.connection, self.store.name, self.name, copy.number
        ):
            self.without_refusals.add(copy.number)

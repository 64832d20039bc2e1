"""
What a read store is: another server that has copies of read models.

A store never folds. It gets whole rows by the changes of a read model, each with the
number of its last change, and refuses a row that is older than its own. Of a read model
it may have several copies: one answers, one may be filled beside it, and the one before
is kept for going back.
"""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from eventstore.projections.changes import ChangesCursor, RowChange
from eventstore.projections.projection import Key, Projection, Row


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """
    A copy of a read model in a store: what it was made from, and its *number*.

    *epoch* (a UUID) and *generation* are those of the changes that it is filled with,
    *shape* is a hash of the form that the store gives to rows. Another one of any of
    them needs another copy. A later copy of the store has a greater *number*.
    """

    read_model: str
    epoch: str
    generation: int
    shape: str
    number: int

    def name(self, separator: str = "_") -> str:
        """Return a name for the copy: letters in lower case, digits, *separator*."""
        parts = (self.epoch[:8], f"g{self.generation}", str(self.number))
        return separator.join((self.read_model, *parts))

    def is_of(self, epoch: str, generation: int) -> bool:
        """Return whether it is filled by these changes: UUID and generation."""
        return (self.epoch, self.generation) == (epoch, generation)


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """
    How far a copy is: the place in the changes behind which it has nothing.

    *change*, *key*, *log_position* and *event_id* are those of a `ChangesCursor`.
    *position* is the one up to which the copy as a whole has read the log.
    *certified_at* is the time, in seconds since 1970 by the writer's clock, at which
    the copy had all changes that there were; None while it never had. *parked* is how
    many streams are parked for the read model, and one more if it stands still: then
    its rows are old in PostgreSQL, too, which can say so.
    """

    change: int = 0
    key: str | int | None = None
    log_position: int = 0
    event_id: str | None = None
    position: int = 0
    certified_at: float | None = None
    parked: int = 0

    def cursor(self, copy: Copy) -> ChangesCursor | None:
        """Return the cursor behind which *copy* is fed, None for a new copy."""
        if not self.change:
            return None
        return ChangesCursor(
            copy.epoch,
            copy.generation,
            self.change,
            self.key,
            self.log_position,
            self.event_id,
        )

    @property
    def place(self) -> tuple[int, Key | None]:
        """The number of a change and a key: the last row that the copy has taken."""
        return self.change, self.key


class Shelf(msgspec.Struct, frozen=True, kw_only=True):
    """
    The copies of a read model in a store.

    *serving* answers. *upcoming* is being filled, to take its place. *previous* is the
    one before, for going back. *set_aside* is a shape that is not to be made, since an
    operator went back from it. What was forgotten up to the position *forgotten* has
    left all files of the store; with the upcoming copy what was up to *purged* leaves
    them, nothing where that is None.
    """

    serving: Copy | None = None
    upcoming: Copy | None = None
    previous: Copy | None = None
    set_aside: str = ""
    forgotten: int = 0
    purged: int | None = None

    @property
    def copies(self) -> Sequence[Copy]:
        found = (self.serving, self.upcoming, self.previous)
        return [copy for copy in found if copy is not None]


class StoredRow(NamedTuple):
    """A row as a store has it: *row* is None for one that was deleted."""

    change: int
    row: Row | None


class Refusal(NamedTuple):
    """A row that a store cannot take, and why; its place is empty there."""

    key: Key
    change: int
    error: str


class RowStore(Protocol):
    """
    A store, as the one process that writes it uses it.

    All methods raise StoreAway if the store does not answer in time, or answers that it
    is busy or full. They are called by one thread.

    A cache *may_lack_rows*, at any time, without saying so. A copy of it begins empty
    at the end of the changes: its rows come by later changes, and from its readers.
    """

    name: str
    projections: Sequence[Projection]
    may_lack_rows: bool

    def close(self) -> None:
        """Close the connections; others are opened when something is asked."""

    def shape_of(self, projection: Projection) -> str:
        """Return a hash of the form in which the store keeps these rows."""

    def load_shelf(self, read_model: str) -> Shelf | None:
        """Return which copies of the read model there are; None: nothing is known."""

    def save_shelf(self, read_model: str, shelf: Shelf, term: int) -> None:
        """
        Store which copies there are, and have the one that serves answer.

        Raises OutdatedWriter if it was stored with a greater *term* before.
        """

    def make(self, copy: Copy) -> None:
        """Make an empty copy with the checkpoint `Checkpoint()`."""

    def drop(self, copy: Copy) -> None:
        """Delete a copy with all its rows, if it is there."""

    def find_copies(self, read_model: str) -> Sequence[str]:
        """Return the names, as `Copy.name()` has them, of all copies there are."""

    def drop_named(self, read_model: str, name: str) -> None:
        """Delete the copy called *name*, which no shelf has."""

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        """
        Put rows in, each unless the copy has it with a greater change.

        A deleted row leaves a mark with its change. *newest* is the last change that
        there was when the rows were read. The rows survive a crash of the store when it
        returns, as far as the store promises that at all. Raises CopyMoved if the copy
        is not there.
        """

    def load_checkpoint(self, copy: Copy) -> Checkpoint | None:
        """Return how far the copy is; None if the copy is not there as a whole."""

    def save_checkpoint(
        self, copy: Copy, checkpoint: Checkpoint, known: Checkpoint
    ) -> None:
        """
        Store how far the copy is, after the rows, instead of *known*.

        Raises CopyMoved if another one than *known* is there, or none.
        """

    def read(self, copy: Copy, keys: Sequence[Key]) -> Mapping[Key, StoredRow]:
        """Return the rows with these keys, deleted ones too."""

    def count(self, copy: Copy) -> int:
        """Return how many keys the copy has, deleted ones too."""

    def keys_behind(self, copy: Copy, key: Key | None, limit: int) -> Sequence[Key]:
        """Return the next keys of the copy, in an order of the store, None: first."""


def next_number(last: int) -> int:
    """Return a number for a copy or a writer: greater than *last*, and never reused."""
    # As for changes: after a restore of the log numbers go on behind those from before.
    return max(last + 1, time.time_ns() // 1_000)

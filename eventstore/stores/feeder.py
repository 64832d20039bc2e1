"""
The feeder: the one that writes the copies of a read model in a store.

A step makes a new copy where one is wanted, fills it beside the one that answers,
compares it, puts it in place, and feeds the one that answers. All of its state is in
the store and in PostgreSQL, so it may be killed between any two statements.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg

from eventstore.errors import (
    CheckpointNotInLog,
    ReadModelOutdated,
    RebuildRunning,
    UnknownReadModel,
)
from eventstore.errors.following import ChangesBegunAgain, NotFollowed
from eventstore.projections.changed_rows import count_keys
from eventstore.projections.changes import NewestChange
from eventstore.projections.following import follow
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.mover import Mover
from eventstore.stores.registry import Orders
from eventstore.stores.row_store import (
    Copy,
    RowStore,
    Shelf,
    next_number,
)

SECONDS_BETWEEN_LOOKS = 1.0
"""Between two certificates that a copy has all changes, and between two notes."""
SECONDS_BETWEEN_COUNTS = 60.0
SECONDS_TO_REST = 30.0
"""After a copy that was filled differs from PostgreSQL, before the next is made."""
MAX_SECONDS_TO_REST = 3_600.0
MAX_REFUSED = 20
MAX_SHARE_REFUSED = 0.001
"""So many rows, or of all rows this share, may be refused by a copy that answers."""
SECONDS_BETWEEN_PURGES = 3_600.0
"""Between two copies that are made so that forgotten values leave the files."""

NOT_READY = (ReadModelOutdated, UnknownReadModel, RebuildRunning, NotFollowed)


class Feeder:
    """
    Keeps the copies of one read model in one store.

    *connection* is in autocommit and holds the lock of the store's writer, *term* is
    what `begin_term` returned for it.
    *seconds_between_purges* is how long forgotten values may stay in a store's files.
    *clock* returns seconds since 1970; pauses are measured by another one, which
    nobody sets back.
    """

    def __init__(
        self,
        store: RowStore,
        projection: Projection,
        connection: psycopg.Connection[Any],
        *,
        term: int,
        seconds_between_purges: float = SECONDS_BETWEEN_PURGES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.store = store
        self.projection = projection
        self.connection = connection
        self.clock = clock
        self.seconds_between_purges = seconds_between_purges
        self.name = projection.name
        self.shape = store.shape_of(projection)
        self.term = term
        self.shelf = store.load_shelf(self.name) or Shelf()
        self.mover = Mover(store, projection, connection, clock)
        self.filled = self.expected = 0
        self.seen = 0
        self.rests_until = float("-inf")
        self.rest = SECONDS_TO_REST
        self.error: str | None = None
        self.next_certificate = float("-inf")
        self.next_note = float("-inf")
        self.next_count = float("-inf")
        self.is_known = False

    def step(self, newest: NewestChange | None, orders: Orders, parked: int) -> bool:
        """
        Do what is to be done, a page of each copy at most; return if there is more.

        *newest* is the read model's last change, None if it is not followed. *parked*
        is how many streams are parked for it. Raises StoreAway, CopyMoved,
        OutdatedWriter and the driver's errors; a read model that is not ready is noted.
        """
        if newest is None:
            self.begin_following()
            return False
        if not self.is_known:
            self.take_stock()
        try:
            if orders.wanted is not None:
                self.obey(orders, newest)
            self.begin_if_wanted(orders, newest)
            has_more = False
            if self.shelf.upcoming is not None:
                has_more |= self.fill()
            serving = self.shelf.serving
            if serving is not None and serving.is_of(newest.epoch, newest.generation):
                has_more |= self.feed(serving, newest, parked)
            if time.monotonic() >= self.next_note:
                self.note()
            return has_more
        except ChangesBegunAgain:
            # A rebuild swapped its generation since we looked.
            return False
        except NOT_READY as error:
            registry.note_error(self.connection, self.store.name, self.name, str(error))
            return False

    def begin_following(self) -> None:
        """Have the changes of the read model kept."""
        try:
            with self.connection.transaction():
                follow(self.connection, self.projection)
        except NOT_READY as error:
            registry.note_error(self.connection, self.store.name, self.name, str(error))

    def take_stock(self) -> None:
        """
        Make the shelf and the store agree; what a writer left that was killed is gone.

        Copies that the store lost, as by emptying it, are not on the shelf any more.
        """
        lost = {
            name: None
            for name in ("serving", "upcoming", "previous")
            if (copy := getattr(self.shelf, name)) is not None
            and self.mover.checkpoint_of(copy) is None
        }
        # Before anything is dropped: a later writer may have taken over, and put copies
        # that this one does not know. And a store may have been restored to when
        # another copy was in place.
        self.put(msgspec.structs.replace(self.shelf, **lost))
        kept = {copy.name() for copy in self.shelf.copies}
        for name in self.store.find_copies(self.name):
            if name not in kept:
                self.store.drop_named(self.name, name)
        registry.forget_copies(
            self.connection,
            self.store.name,
            self.name,
            [copy.number for copy in self.shelf.copies],
        )
        self.is_known = True

    def obey(self, orders: Orders, newest: NewestChange) -> None:
        """Begin what an operator wants, and say why not."""
        answer = registry.BEGUN
        shelf, previous = self.shelf, self.shelf.previous
        if orders.wanted == "rebuild":
            self.rests_until = float("-inf")
            self.begin(orders, newest)
        elif previous is None:
            answer = "refused: no earlier copy is kept"
        elif not previous.is_of(newest.epoch, newest.generation):
            answer = "refused: the earlier copy is of a generation that was replaced"
        else:
            leaves = shelf.serving.shape if shelf.serving else previous.shape
            self.put(
                msgspec.structs.replace(
                    shelf,
                    upcoming=previous,
                    previous=None,
                    purged=None,
                    set_aside=leaves if leaves != previous.shape else "",
                )
            )
            if shelf.upcoming is not None:
                self.store.drop(shelf.upcoming)
        # First what is under way, so that nobody takes it for done.
        self.note()
        registry.answer_order(
            self.connection, self.store.name, self.name, orders, answer
        )

    def begin_if_wanted(self, orders: Orders, newest: NewestChange) -> None:
        """Begin a new copy where none is of these changes and of this shape."""
        upcoming, serving = self.shelf.upcoming, self.shelf.serving
        if upcoming is not None:
            is_right = upcoming.is_of(newest.epoch, newest.generation)
            if is_right and upcoming.shape != self.shelf.set_aside:
                return
        elif serving is not None and serving.is_of(newest.epoch, newest.generation):
            is_wanted = self.shape not in (serving.shape, self.shelf.set_aside)
            if not is_wanted and not self.must_purge(orders, serving):
                return
        if time.monotonic() >= self.rests_until:
            self.begin(orders, newest)

    def must_purge(self, orders: Orders, serving: Copy) -> bool:
        """Return whether forgotten values may be in the files, and time has passed."""
        reached = self.mover.checkpoint_of(serving)
        if (
            # Not whether it is less: a restored log may have gone back.
            self.shelf.forgotten == orders.forgotten
            or reached is None
            or reached.position < orders.forgotten
            or self.clock() - serving.number / 1e6 < self.seconds_between_purges
        ):
            return False
        if self.shelf.set_aside == self.shape:
            self.error = (
                "somebody was forgotten, and is still in files of the copy that was"
                " gone back to: rebuild it, or deploy the code that made it"
            )
            return False
        return True

    def begin(self, orders: Orders, newest: NewestChange) -> None:
        """Make an empty copy, instead of one that is being filled."""
        last = max((copy.number for copy in self.shelf.copies), default=0)
        copy = Copy(
            read_model=self.name,
            epoch=newest.epoch,
            generation=newest.generation,
            shape=self.shape,
            number=next_number(last),
        )
        former = self.shelf.upcoming
        # Rows that are read from here on have nothing that was forgotten before.
        is_past = self.position_of(newest.generation) >= orders.forgotten
        self.store.make(copy)
        self.filled = 0
        self.expected = count_keys(self.connection, self.projection, copy.generation)
        self.put(
            msgspec.structs.replace(
                self.shelf,
                upcoming=copy,
                purged=orders.forgotten if is_past else None,
                set_aside="",
            )
        )
        if former is not None:
            self.store.drop(former)

    def position_of(self, generation: int) -> int:
        """Return the checkpoint of a generation of the read model, by its number."""
        row = self.connection.execute(
            "SELECT checkpoint FROM public.subscriptions WHERE name = %s",
            (name_of(self.name, generation),),
        ).fetchone()
        return 0 if row is None else int(row[0])

    def fill(self) -> bool:
        """Feed the upcoming copy with a page; put it in place when it has all."""
        copy = self.shelf.upcoming
        assert copy is not None
        try:
            moved = self.mover.move_page(copy, parked=0)
        except CheckpointNotInLog:
            self.put(msgspec.structs.replace(self.shelf, upcoming=None, purged=None))
            self.store.drop(copy)
            return True
        self.filled += moved.rows
        if not moved.is_last:
            return True
        refused = registry.find_refused(
            self.connection, self.store.name, self.name, copy.number
        )
        found = compare(
            self.connection, self.store, self.projection, copy, refused=refused
        )
        registry.note_comparison(self.connection, self.store.name, self.name, *found)
        if found.differences:
            self.refuse(copy, found.differences)
        elif len(refused) > max(MAX_REFUSED, MAX_SHARE_REFUSED * self.expected):
            first = next(iter(refused.values()))
            self.refuse(copy, [f"{len(refused)} rows were refused, as by {first}"])
        else:
            self.put_in_place(copy)
        return True

    def refuse(self, copy: Copy, differences: Sequence[str]) -> None:
        """Give up an upcoming copy that differs from PostgreSQL."""
        self.put(msgspec.structs.replace(self.shelf, upcoming=None, purged=None))
        self.store.drop(copy)
        self.rests_until = time.monotonic() + self.rest
        self.rest = min(2 * self.rest, MAX_SECONDS_TO_REST)
        self.error = (
            f"a new copy was not put in place, since it differs: {differences[0]}"
        )

    def put_in_place(self, copy: Copy) -> None:
        """Have the upcoming copy answer; keep the one before, or drop it."""
        shelf, gone = self.shelf, []
        kept = shelf.serving
        if shelf.previous is not None:
            gone.append(shelf.previous)
        forgotten = shelf.forgotten if shelf.purged is None else shelf.purged
        if forgotten != shelf.forgotten and kept is not None:
            gone.append(kept)
            kept = None
        self.put(
            msgspec.structs.replace(
                shelf,
                serving=copy,
                upcoming=None,
                previous=kept,
                forgotten=forgotten,
                purged=None,
            )
        )
        for former in gone:
            self.store.drop(former)
        self.rest, self.error = SECONDS_TO_REST, None
        self.next_count = self.next_note = float("-inf")
        registry.forget_copies(
            self.connection,
            self.store.name,
            self.name,
            [copy.number for copy in self.shelf.copies],
        )

    def feed(self, copy: Copy, newest: NewestChange, parked: int) -> bool:
        """Feed the serving copy with a page; return whether there is more."""
        known = self.mover.checkpoint_of(copy)
        if (
            known is not None
            # Of a read model without rows a copy has no change.
            and newest.change in (known.change, self.seen)
            and known.parked == parked
            and time.monotonic() < self.next_certificate
        ):
            return False
        self.next_certificate = time.monotonic() + SECONDS_BETWEEN_LOOKS
        try:
            moved = self.mover.move_page(copy, parked)
        except CheckpointNotInLog:
            # Rows of events that the log does not have: they must not be shown.
            former = self.shelf.copies
            self.put(Shelf())
            for one in former:
                self.store.drop(one)
            return True
        if moved.is_last:
            self.seen = moved.newest
        return not moved.is_last

    def note(self) -> None:
        """Note in PostgreSQL how the copies stand."""
        self.next_note = time.monotonic() + SECONDS_BETWEEN_LOOKS
        serving, upcoming = self.shelf.serving, self.shelf.upcoming
        rows = None
        # What a cache has is no measure of what it lacks, and costs it a walk.
        counts = not self.store.may_lack_rows
        if counts and serving is not None and time.monotonic() >= self.next_count:
            self.next_count = time.monotonic() + SECONDS_BETWEEN_COUNTS
            rows = self.store.count(serving)
        is_filling = counts and upcoming is not None
        registry.note_standing(
            self.connection,
            self.store.name,
            self.name,
            self.shelf,
            None if serving is None else self.mover.checkpoint_of(serving),
            (rows, *((self.filled, self.expected) if is_filling else (None, None))),
            error=self.error,
        )

    def put(self, shelf: Shelf) -> None:
        """Store which copies there are."""
        self.store.save_shelf(self.name, shelf, self.term)
        self.shelf = shelf

"""A shop where everything happens by chance, to a cache that may lose any key."""

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from eventstore.errors.following import ChangesBegunAgain
from eventstore.errors.rebuilding import NothingKept
from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.changes import RowChange, find_newest, read_changes
from eventstore.projections.newest_rows import read_newest
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.rollback import roll_back
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.registry import Order
from eventstore.stores.row_store import Copy
from eventstore.stores.writer import Writer
from readmodels.stores.hot.store import HotStore
from tests.support.engine import Engine
from tests.support.row_follower import keep_up, totals, write

STEPS = 150
NAMES = [f"{group}{n}" for group in "ab" for n in range(6)]
WEIGHTS = {
    "empty": 1,
    "evict meta": 1,
    "rebuild": 1,
    "roll back": 1,
    "order": 2,
    "forget": 1,
    "restart": 2,
    "evict": 30,
    "read": 20,
    "fill": 20,
    "page": 5,
    "write late": 40,
    "change": 40,
}
"""What happens in a shop, and how often."""
LateWrite = tuple[Copy, Sequence[RowChange], int]


def change(engine: Engine, *amounts: tuple[str, int]) -> None:
    write(engine.connection, *amounts)
    keep_up(engine.connection, totals)


def give_turns(writer: Writer, count: int) -> None:
    """Give turns as `run` does, without its pauses."""
    writer.next_orders = float("-inf")
    for _ in range(count):
        for feeder in writer.feeders:
            feeder.next_certificate = feeder.next_note = float("-inf")
        try:
            writer.turn()
        except (StoreAway, CopyMoved) as error:
            writer.rest_after(error)


def serving(store: HotStore) -> Copy | None:
    """The copy that answers readers, if it is there."""
    shelf = store.load_shelf("totals")
    copy = shelf and shelf.serving
    return copy if copy and store.load_checkpoint(copy) is not None else None


def the_copy(store: HotStore) -> Copy:
    copy = serving(store)
    assert copy is not None
    return copy


def read_late(engine: Engine, copy: Copy, keys: Sequence[str]) -> LateWrite | None:
    """What a reader has in its hands who did not find a row."""
    found = read_newest(engine.connection, totals, copy.generation, keys)
    if found is None or found.epoch != copy.epoch:
        return None
    return copy, [row for row in found.rows if row.row is not None], found.newest


def page_of(engine: Engine, copy: Copy) -> LateWrite | None:
    """What a writer has in its hands who is stopped then."""
    page = read_changes(engine.connection, totals, limit=8)
    if not copy.is_of(page.cursor.epoch, page.cursor.generation):
        return None
    return copy, page.changes, page.newest


def write_late(store: HotStore, late: LateWrite) -> None:
    with suppress(CopyMoved):
        store.write(*late)


class Game:
    """A shop where everything happens by chance, and what was wrong in the cache."""

    def __init__(
        self, engine: Engine, store: HotStore, writer: Writer, seed: int
    ) -> None:
        self.engine, self.store, self.writer = engine, store, writer
        self.chance = random.Random(seed)
        self.rebuilder = engine.connect()
        self.late: list[LateWrite] = []
        self.highest: dict[tuple[str, Any], int] = {}
        self.wrong: list[str] = []
        self.seen = 0

    def keys(self) -> list[bytes]:
        """The keys of all rows that are there, of whatever copy."""
        begin = f"{self.store.names.prefix}:".encode()
        keys = self.store.connection.client.scan_iter(count=1_000)
        return sorted(key for key in keys if key.startswith(begin + b"totals_"))

    def step(self, turn: int) -> None:
        """Let one thing happen, and look at what the cache shows."""
        chance, connection = self.chance, self.engine.connection
        copy = serving(self.store)
        match chance.choices([*WEIGHTS], [*WEIGHTS.values()])[0]:
            case "empty":
                self.evict([self.store.names.meta("totals"), *self.keys()])
            case "evict meta":
                self.evict([self.store.names.meta("totals")])
            case "evict" if keys := self.keys():
                self.evict(chance.sample(keys, min(chance.randint(1, 3), len(keys))))
            case "rebuild":
                rebuild(self.rebuilder, totals)
            case "roll back":
                with suppress(NothingKept):
                    roll_back(self.rebuilder, totals)
            case "order":
                order: Order = chance.choice(["rebuild", "rollback"])
                registry.order(connection, "hot", "totals", order)
            case "forget":
                registry.note_forgetting(connection, turn)
            case "restart":
                self.writer = Writer(
                    self.store, self.writer.connection, seconds_between_purges=0
                )
            case "read" if copy:
                self.hold(read_late(self.engine, copy, chance.sample(NAMES, 5)))
            case "fill" if copy:
                self.hold(read_late(self.engine, copy, chance.sample(NAMES, 3)))
                if self.late:
                    write_late(self.store, self.late[-1])
            case "page" if copy:
                self.hold(page_of(self.engine, copy))
            case "write late" if self.late:
                late = chance.choice(self.late)
                names = self.store.names
                rows = [names.row(late[0].name(), row.key) for row in late[1]]
                if rows and chance.random() < 0.5:
                    self.evict(rows)
                write_late(self.store, late)
            case _:
                change(self.engine, (chance.choice(NAMES), chance.randint(1, 40)))
        give_turns(self.writer, chance.randint(0, 2))
        self.look()

    def evict(self, keys: Sequence[str | bytes]) -> None:
        self.store.connection.client.delete(*keys)

    def hold(self, late: LateWrite | None) -> None:
        if late is not None:
            self.late = [*self.late[-10:], late]

    def look(self) -> None:
        """Note what is older than the checkpoint, or than what was there before."""
        copy = serving(self.store)
        newest = find_newest(self.engine.connection, ["totals"]).get("totals")
        if not copy or not newest or not copy.is_of(newest.epoch, newest.generation):
            return
        try:
            found = compare(
                self.engine.connection, self.store, totals, copy, is_full=True
            )
        except ChangesBegunAgain:
            return
        self.wrong += found.differences
        for key, stored in self.store.read(copy, NAMES).items():
            self.seen += 1
            place = (copy.name(), key)
            if stored.change < self.highest.get(place, 0):
                self.wrong.append(f"{key} is older than it was")
            self.highest[place] = max(stored.change, self.highest.get(place, 0))

    def settle(self) -> None:
        self.writer = Writer(self.store, self.writer.connection)
        give_turns(self.writer, 20)

"""A cache is fed while any of its keys may go at any time, and others write late."""

import random
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from eventstore.errors.following import ChangesBegunAgain
from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.projections.changes import RowChange, find_newest, read_changes
from eventstore.projections.newest_rows import read_newest
from eventstore.projections.rebuild import rebuild
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.registry import Order, find_copy_standings
from eventstore.stores.row_store import Copy
from eventstore.stores.writer import Writer
from readmodels.stores.hot import store as hot
from readmodels.stores.hot.scripts import WRITE, Script
from readmodels.stores.hot.store import HotStore
from tests.stores.servers.server import Server
from tests.support.engine import Engine
from tests.support.row_follower import keep_up, table, totals, write

STEPS = 150
NAMES = [f"{group}{n}" for group in "ab" for n in range(6)]
WEIGHTS = {
    "empty": 1,
    "evict meta": 1,
    "rebuild": 1,
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


@pytest.fixture
def game(engine: Engine, store: HotStore, writer: Writer) -> Game:
    return Game(engine, store, writer, seed=16)


def test_whatever_goes_away_the_rows_that_are_there_are_those_of_the_table(
    game: Game, engine: Engine, store: HotStore
) -> None:
    for turn in range(STEPS):
        game.step(turn)
    assert game.wrong == []
    assert game.seen > 200

    game.settle()
    copy = the_copy(store)
    late = read_late(engine, copy, NAMES)
    assert late is not None
    write_late(store, late)
    rows = {key: one.row for key, one in store.read(copy, NAMES).items() if one.row}
    assert rows == table(engine.connection)
    found = compare(engine.connection, store, totals, copy, is_full=True)
    assert found.differences == []


def test_without_the_floor_the_same_shop_shows_old_rows(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    text = WRITE.text.replace("ARGV[2] >= floor", "true")
    assert text != WRITE.text
    monkeypatch.setattr(hot, "WRITE", Script(text))
    for turn in range(STEPS):
        game.step(turn)
        if game.wrong:
            break

    assert game.wrong


def test_a_new_copy_begins_empty_at_the_end_and_has_what_is_changed_later(
    engine: Engine, store: HotStore, writer: Writer
) -> None:
    give_turns(writer, 5)
    copy = the_copy(store)
    assert store.count(copy) == 0
    [standing] = find_copy_standings(engine.connection)
    assert standing.error is None
    assert standing.seconds_behind is not None

    change(engine, ("a1", 10), ("b5", 1))
    give_turns(writer, 2)
    stored = store.read(copy, NAMES)

    assert set(stored) == {"a1", "b5"}
    assert {k: one.row for k, one in stored.items()}.items() <= table(
        engine.connection
    ).items()


def test_a_copy_of_an_empty_read_model_has_the_first_row(
    engine: Engine, store: HotStore, writer: Writer
) -> None:
    with engine.connection.transaction():
        engine.connection.execute("DELETE FROM readmodels.totals_g1")
    give_turns(writer, 5)
    copy = the_copy(store)
    change(engine, ("a3", 10))
    give_turns(writer, 2)

    assert set(store.read(copy, NAMES)) == {"a3"}


def test_a_server_that_was_emptied_gets_a_new_copy(
    store: HotStore, writer: Writer, cache_server: Server
) -> None:
    give_turns(writer, 5)
    before = the_copy(store)
    store.connection.client.flushall()
    assert serving(store) is None
    give_turns(writer, 5)

    assert the_copy(store).number > before.number


def test_a_writer_that_was_paused_brings_no_evicted_row_back(
    engine: Engine, store: HotStore, writer: Writer
) -> None:
    give_turns(writer, 5)
    copy = the_copy(store)
    change(engine, ("a1", 1))
    late = page_of(engine, copy)
    assert late is not None
    change(engine, ("a1", 1))
    give_turns(writer, 2)
    store.connection.client.delete(store.names.row(copy.name(), "a1"))
    write_late(store, late)

    assert "a1" not in store.read(copy, ["a1"])


def test_two_writers_leave_no_old_row(
    engine: Engine, store: HotStore, writer: Writer
) -> None:
    """The first goes on without the lock, as after it had been taken for dead."""
    give_turns(writer, 5)
    second = Writer(store, engine.connect())
    chance = random.Random(16)
    for _ in range(60):
        change(engine, (chance.choice(NAMES), chance.randint(1, 6)))
        # The first learns of the second as soon as it stores which copies there are.
        with suppress(OutdatedWriter):
            give_turns(chance.choice([writer, second]), 1)
    third = Writer(store, engine.connect())
    give_turns(third, 5)

    found = compare(engine.connection, store, totals, the_copy(store), is_full=True)
    assert found.differences == []
    assert found.rows > 0


def test_an_old_row_is_found_by_a_comparison(
    engine: Engine, store: HotStore, writer: Writer
) -> None:
    give_turns(writer, 5)
    change(engine, ("a1", 1), ("a2", 1))
    give_turns(writer, 2)
    copy = the_copy(store)
    names = [store.names.row(copy.name(), key) for key in ("a1", "a2")]
    client = store.connection.client
    old, other = client.mget(names)
    change(engine, ("a1", 1))
    give_turns(writer, 2)
    client.set(names[0], old)
    client.set(names[1], other.replace(b'"total":', b'"total":1'))

    for is_full in (True, False):
        found = compare(engine.connection, store, totals, copy, is_full=is_full)
        assert sorted(text.partition(" with")[0] for text in found.differences) == [
            "totals a1: older than in PostgreSQL",
            "totals a2: other values",
        ]

"""A cache is fed while any of its keys may go at any time, and others write late."""

import random
from contextlib import suppress

import pytest

from eventstore.errors.stores import OutdatedWriter
from eventstore.stores.comparison import compare
from eventstore.stores.registry import find_copy_standings
from eventstore.stores.writer import Writer
from readmodels.stores.hot import store as hot
from readmodels.stores.hot.scripts import WRITE, Script
from readmodels.stores.hot.store import HotStore
from tests.stores.hot.game import (
    NAMES,
    STEPS,
    Game,
    change,
    give_turns,
    page_of,
    read_late,
    serving,
    the_copy,
    write_late,
)
from tests.stores.servers.server import Server
from tests.support.engine import Engine
from tests.support.row_follower import table, totals


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

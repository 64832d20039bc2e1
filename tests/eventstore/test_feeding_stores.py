"""Feeding a store: its copy has the rows of the table, whatever happens to either."""

import random
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from eventstore.errors.rebuilding import NothingKept
from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.projections.changes import NewestChange, find_newest
from eventstore.projections.generations import ensure_generation
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.rollback import roll_back
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.registry import CopyStanding, Orders, find_copy_standings
from eventstore.stores.row_store import Copy
from eventstore.stores.writer import Writer
from tests.support.engine import Engine
from tests.support.memory_row_store import MemoryRowStore
from tests.support.row_follower import keep_up, others, table, totals, write

NAMES = [f"{group}{n}" for group in "ab" for n in range(20)]


@pytest.fixture
def counted(engine: Engine) -> Engine:
    """The engine with a read model of counters and some rows of it."""
    ensure_generation(engine.pool, totals)
    write(engine.connection, ("a1", 3), ("a2", 4), ("b1", 5))
    keep_up(engine.connection, totals)
    return engine


@pytest.fixture
def store() -> MemoryRowStore:
    return MemoryRowStore([totals])


@pytest.fixture
def writer(counted: Engine, store: MemoryRowStore) -> Writer:
    connection = counted.connect()
    assert registry.take_turn(connection, store.name)
    return Writer(store, connection, seconds_between_purges=0)


def settle(writer: Writer) -> None:
    """Give turns until there is nothing more to do."""
    writer.next_orders = float("-inf")
    for _ in range(100):
        for feeder in writer.feeders:
            feeder.next_certificate = feeder.next_note = float("-inf")
        before = state_of(writer)
        if writer.turn() and state_of(writer) == before:
            return
    raise AssertionError("it never settles")


def give_turns(writer: Writer, count: int) -> None:
    """Give turns as `run` does, without its pauses."""
    for _ in range(count):
        writer.rests.clear()
        try:
            writer.turn()
        except (StoreAway, CopyMoved) as error:
            writer.rest_after(error)


def state_of(writer: Writer) -> Any:
    store: Any = writer.store
    return [
        (f.shelf, {n: (c.change, c.key) for n, c in f.mover.checkpoints.items()})
        for f in writer.feeders
    ], store.content.rows


def rows_of(store: MemoryRowStore) -> dict[Any, Any]:
    """The rows of the copy that answers, by key."""
    copy = serving(store)
    return {
        key: stored.row
        for key, stored in store.content.rows[copy.name()].items()
        if stored.row is not None
    }


def serving(store: MemoryRowStore) -> Copy:
    shelf = store.load_shelf("totals")
    assert shelf is not None
    assert shelf.serving is not None
    return shelf.serving


def standing(engine: Engine) -> CopyStanding:
    [found] = find_copy_standings(engine.connection)
    return found


def change(engine: Engine, *amounts: tuple[str, int]) -> None:
    write(engine.connection, *amounts)
    keep_up(engine.connection, totals)


def test_a_new_store_is_filled_and_has_what_is_changed_later(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    assert rows_of(store) == table(counted.connection)

    change(counted, ("a1", 10), ("b9", 1))
    settle(writer)

    assert rows_of(store) == table(counted.connection)
    found = standing(counted)
    assert found.error is None
    assert found.is_tended
    assert found.differences == 0
    assert found.seconds_behind is not None


def test_a_store_has_the_rows_through_everything(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    """Emptied, restored, away, killed writers, rebuilds and back, and orders."""
    chance = random.Random(16)
    rebuilder = counted.connect()
    backups = [store.backup()]
    for turn in range(200):
        change(
            counted,
            *[(chance.choice(NAMES), chance.randint(1, 40)) for _ in range(5)],
        )
        match chance.randint(0, 14):
            case 0:
                store.content = chance.choice(backups)
                backups = [store.backup()]
            case 1:
                store.content = type(store.content)()
            case 2:
                backups.append(store.backup())
            case 3:
                store.is_away = not store.is_away
            case 4:
                rebuild(rebuilder, totals)
            case 5:
                registry.order(counted.connection, store.name, "totals", "rebuild")
            case 6:
                registry.order(counted.connection, store.name, "totals", "rollback")
            case 7:
                writer = Writer(store, writer.connection, seconds_between_purges=0)
            case 8:
                registry.note_forgetting(counted.connection, turn)
            case 9:
                with suppress(NothingKept):
                    roll_back(rebuilder, totals)
        writer.next_orders = float("-inf")
        give_turns(writer, chance.randint(1, 4))
    store.is_away = False
    give_turns(writer, 20)
    settle(writer)

    assert rows_of(store) == table(counted.connection)
    found = compare(counted.connection, store, totals, serving(store), is_full=True)
    assert found.differences == []
    assert found.rows >= len(rows_of(store)) > 10


def test_an_older_row_never_replaces_a_newer_one(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    """A writer that was paused with a page in its hands writes it later."""
    settle(writer)
    [feeder] = writer.feeders
    write_rows, held = store.write, []

    def hold(*page: Any) -> Any:
        held.append(page)
        return []

    store.write = hold  # type: ignore[assignment,method-assign]
    change(counted, ("a1", 1))
    feeder.next_certificate = float("-inf")
    old = Writer(store, counted.connect())
    old.turn()
    store.write = write_rows  # type: ignore[method-assign]
    store.content.checkpoints[serving(store).name()] = feeder.mover.checkpoints[
        serving(store).number
    ]
    change(counted, ("a1", 1))
    settle(writer)
    assert held
    write_rows(*held[0])

    assert rows_of(store) == table(counted.connection)


def test_a_refused_row_leaves_its_place_empty_and_the_others_go_in(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    store.refuses = lambda row: row.counter == "a1"
    change(counted, ("a1", 1), ("a2", 1))
    settle(writer)

    expected = table(counted.connection)
    del expected["a1"]
    assert rows_of(store) == expected
    assert standing(counted).refused == 1

    store.refuses = lambda row: False
    change(counted, ("a1", 1))
    settle(writer)
    assert rows_of(store) == table(counted.connection)
    assert standing(counted).refused == 0


def test_a_copy_of_another_form_is_filled_beside_the_old_one(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    old = serving(store)

    store.shape = "second"
    settle(Writer(store, writer.connection))
    new = serving(store)
    shelf = store.load_shelf("totals")
    assert shelf is not None

    assert (old.shape, new.shape) == ("first", "second")
    assert shelf.previous == old
    assert set(store.content.rows) == {old.name(), new.name()}


def test_an_operator_goes_back_to_the_copy_before(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    old = serving(store)
    store.shape = "second"
    writer = Writer(store, writer.connection)
    settle(writer)
    change(counted, ("a1", 7))
    registry.order(counted.connection, store.name, "totals", "rollback")
    settle(writer)

    assert serving(store) == old
    assert rows_of(store) == table(counted.connection)

    # It stays, until a new one is ordered.
    writer = Writer(store, writer.connection)
    settle(writer)
    assert serving(store) == old
    registry.order(counted.connection, store.name, "totals", "rebuild")
    settle(writer)
    assert serving(store).shape == "second"


def test_a_copy_that_differs_is_not_put_in_place(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    old = serving(store)
    write_rows = store.write

    def write_wrongly(copy: Copy, changes: Any, newest: int) -> Any:
        if copy == old:
            return write_rows(copy, changes, newest)
        return write_rows(copy, changes[1:], newest)

    store.write = write_wrongly  # type: ignore[method-assign]
    registry.order(counted.connection, store.name, "totals", "rebuild")
    settle(writer)

    assert serving(store) == old
    found = standing(counted)
    assert found.differences
    assert "not put in place" in (found.error or "")
    change(counted, ("a1", 1))
    settle(writer)
    assert rows_of(store) == table(counted.connection)


def test_after_a_forgetting_the_store_keeps_no_file_from_before(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    registry.order(counted.connection, store.name, "totals", "rebuild")
    settle(writer)
    before = set(store.content.rows)
    assert len(before) == 2

    registry.note_forgetting(counted.connection, 1)
    settle(writer)

    assert standing(counted).error is None
    assert len(store.content.rows) == 1
    assert not before & set(store.content.rows)


def test_a_store_filled_from_another_log_is_emptied(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    old = serving(store)
    copy = old.name()
    known = store.content.checkpoints[copy]
    lost = msgspec.structs.replace(known, event_id=str(uuid4()))
    store.content.checkpoints[copy] = lost
    writer = Writer(store, writer.connection)
    settle(writer)

    assert serving(store) != old
    assert set(store.content.rows) == {serving(store).name()}


def test_a_copy_knows_that_its_read_model_stands_still(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    """Its rows are equal, and old: PostgreSQL has to answer, which says so."""
    settle(writer)
    copy = serving(store).name()
    assert store.content.checkpoints[copy].parked == 0

    counted.connection.execute(
        "UPDATE subscriptions SET stopped_at_position = checkpoint + 1, stopped_since ="
        " clock_timestamp(), error = '{}' WHERE name = 'totals_g1'"
    )
    settle(writer)
    assert store.content.checkpoints[copy].parked == 1


def test_going_back_to_a_copy_of_the_same_form_needs_no_filling(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    first = serving(store)
    registry.order(counted.connection, store.name, "totals", "rebuild")
    settle(writer)
    second = serving(store)
    registry.order(counted.connection, store.name, "totals", "rollback")
    settle(writer)
    assert serving(store) == first

    registry.order(counted.connection, store.name, "totals", "rollback")
    settle(writer)
    assert serving(store) == second


def test_a_copy_that_refused_many_rows_is_not_put_in_place(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    """A server that understands nothing of what it gets takes no row."""
    change(counted, *[(name, 1) for name in NAMES])
    settle(writer)
    good = serving(store)

    store.refuses = lambda row: True
    registry.order(counted.connection, store.name, "totals", "rebuild")
    writer.next_orders = float("-inf")
    give_turns(writer, 5)
    assert serving(store) == good
    assert rows_of(store) == table(counted.connection)
    assert "refused" in (standing(counted).error or "")


def test_a_forgetting_after_the_log_went_back_is_carried_out(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    shelf = store.load_shelf("totals")
    assert shelf is not None
    term = writer.terms["totals"]
    store.save_shelf("totals", msgspec.structs.replace(shelf, forgotten=1_000), term)
    registry.note_forgetting(counted.connection, 2)
    settle(Writer(store, writer.connection, seconds_between_purges=0))

    assert serving(store) != shelf.serving
    assert set(store.content.rows) == {serving(store).name()}


def test_a_writer_that_was_paused_drops_nothing_of_its_successor(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    old = Writer(store, counted.connect())
    old.turn()
    [paused] = old.feeders
    paused.is_known = False
    settle(Writer(store, writer.connection))
    answers = serving(store)

    with pytest.raises(OutdatedWriter):
        paused.step(newest_of(counted), Orders(None, None, 0), 0)
    assert answers.name() in store.content.rows


def newest_of(engine: Engine) -> NewestChange:
    return find_newest(engine.connection, ["totals"])["totals"]


def test_a_read_model_without_rows_costs_no_writes(
    engine: Engine, store: MemoryRowStore
) -> None:
    ensure_generation(engine.pool, totals)
    writer = Writer(store, engine.connection)
    settle(writer)
    saves: list[Any] = []
    save = store.save_checkpoint

    def count_and_save(*given: Any) -> None:
        saves.append(given)
        save(*given)

    store.save_checkpoint = count_and_save  # type: ignore[assignment,method-assign]
    give_turns(writer, 20)
    assert len(saves) <= 2


def test_a_refusal_is_forgotten_while_another_copy_is_filled(
    counted: Engine, store: MemoryRowStore, writer: Writer
) -> None:
    settle(writer)
    store.refuses = lambda row: row.counter == "a1"
    change(counted, ("a1", 1))
    registry.order(counted.connection, store.name, "totals", "rebuild")
    settle(writer)
    assert standing(counted).refused == 1
    store.refuses = lambda row: False
    change(counted, ("a1", 1))
    settle(writer)
    assert standing(counted).refused == 0


def test_one_read_model_that_fails_holds_up_no_other(
    counted: Engine, writer: Writer
) -> None:
    ensure_generation(counted.pool, others)
    store = MemoryRowStore([totals, others])
    both = Writer(store, writer.connection)
    load = store.load_checkpoint

    def fail_for_totals(copy: Copy) -> Any:
        if copy.read_model == "totals":
            raise StoreAway(store.name, "its index is red")
        return load(copy)

    store.load_checkpoint = fail_for_totals  # type: ignore[method-assign]
    write(counted.connection, ("a1", 3))
    keep_up(counted.connection, totals, others)
    give_turns(both, 5)
    shelf = store.load_shelf("others")
    assert shelf is not None
    assert shelf.serving is not None
    by_name = {one.read_model: one for one in find_copy_standings(counted.connection)}
    assert "red" in (by_name["totals"].error or "")
    assert by_name["others"].error is None

"""Rolling back: the rows from before a rebuild are live again, caught up."""

from dataclasses import replace
from typing import Any

import pytest

from eventstore.errors import RebuildFailed
from eventstore.errors.rebuilding import NothingKept
from eventstore.projections.change_tracking import drop_changes
from eventstore.projections.following import follow
from eventstore.projections.generations import (
    ensure_generation,
    existing_generations,
    live_generations,
)
from eventstore.projections.parked_streams import find_parked
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Fact, LookedUp
from eventstore.rebuilding.fillings import begin
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.rollback import roll_back
from eventstore.stores import registry
from eventstore.stores.writer import Writer
from eventstore.subscriptions.catch_up import catch_up
from tests.eventstore.test_feeding_stores import rows_of, serving, settle
from tests.support.engine import Engine
from tests.support.memory_row_store import MemoryRowStore
from tests.support.row_follower import Follower, keep_up, table, totals, write


@pytest.fixture
def rebuilt(engine: Engine) -> Engine:
    """The engine with a read model that was rebuilt, and has read on since."""
    ensure_generation(engine.pool, totals)
    write(engine.connection, ("a1", 3), ("a2", 4), ("b1", 5))
    keep_up(engine.connection)
    rebuild(engine.connection, totals)
    write(engine.connection, ("a1", 1), ("b2", 1))
    keep_up(engine.connection)
    return engine


def names_of_relations(engine: Engine) -> list[str]:
    return [
        name
        for (name,) in engine.connection.execute(
            """
            SELECT relname FROM pg_class
            WHERE relnamespace = 'readmodels'::regnamespace AND relkind IN ('r', 'i')
            UNION ALL SELECT proname FROM pg_proc
            WHERE pronamespace = 'readmodels'::regnamespace
            ORDER BY 1
            """
        )
    ]


def test_the_kept_rows_are_live_again_with_what_came_since(rebuilt: Engine) -> None:
    before = table(rebuilt.connection)
    rebuilt.connection.execute("UPDATE readmodels.totals_g2 SET total = 0")
    done = roll_back(rebuilt.connection, totals)

    assert table(rebuilt.connection) == before
    assert (done.former, done.generation, done.position) == (1, 3, 5)
    assert done.is_of_this_code


def test_it_is_kept_up_to_date_and_can_be_rebuilt_and_gone_back_from(
    rebuilt: Engine,
) -> None:
    for turn in range(3):
        roll_back(rebuilt.connection, totals)
        write(rebuilt.connection, (f"b{turn + 5}", 1))
        keep_up(rebuilt.connection)
        expected = table(rebuilt.connection)
        done = rebuild(rebuilt.connection, totals)

        assert done.comparison is not None
        assert done.comparison.differing == 0
        assert table(rebuilt.connection) == expected
    assert existing_generations(rebuilt.connection, "totals") == {7, 8}


def test_a_generation_takes_all_that_is_called_after_it_to_its_new_number(
    rebuilt: Engine,
) -> None:
    with rebuilt.connection.transaction():
        follow(rebuilt.connection, totals)
    former = [name for name in names_of_relations(rebuilt) if "_g1" in name]
    roll_back(rebuilt.connection, totals)
    found = names_of_relations(rebuilt)
    catch_up(rebuilt.connection, Parker().subscription_of(totals, 3))

    assert former
    assert {name.replace("_g1", "_g3") for name in former} < set(found)
    assert [name for name in found if "_g1" in name] == []
    counters = rebuilt.connection.execute("SELECT generation FROM change_counters")
    assert sorted(name for (name,) in counters) == ["totals_g2", "totals_g3"]


@pytest.mark.parametrize("was_followed", [True, False])
def test_followers_get_the_rows_of_what_was_gone_back_to(
    rebuilt: Engine, was_followed: bool
) -> None:
    connection, follower = rebuilt.connection, Follower()
    with connection.transaction():
        follow(connection, totals)
    if was_followed:
        # Both generations have changes of their own.
        rebuild(connection, totals)
    follower.take_all(connection)
    roll_back(connection, totals)
    write(connection, ("a1", 1), ("c1", 2))
    keep_up(connection)
    follower.take_all(connection)

    assert follower.begun == 1
    assert follower.rows == table(connection)


def test_a_store_never_answers_with_its_copy_of_the_number_before(
    rebuilt: Engine,
) -> None:
    """It may still have one of the generation that is gone back to, and an old one."""
    connection = rebuilt.connect()
    store = MemoryRowStore([totals])
    assert registry.take_turn(connection, store.name)
    writer = Writer(store, connection, seconds_between_purges=0)
    settle(writer)
    old = serving(store)
    rebuild(rebuilt.connection, totals)
    settle(writer)
    write(rebuilt.connection, ("a1", 1), ("c1", 2))
    keep_up(rebuilt.connection)
    shelf = store.load_shelf("totals")
    assert shelf is not None
    assert shelf.previous == old
    done = roll_back(rebuilt.connection, totals)
    found = {copy.generation for copy in shelf.copies}

    # None of them is of this number, so PostgreSQL answers until there is one.
    assert done.former in found
    assert done.generation not in found
    settle(writer)
    assert serving(store).generation == done.generation
    assert rows_of(store) == table(rebuilt.connection)


def test_without_a_number_of_its_own_an_old_copy_would_be_taken_for_the_rows(
    rebuilt: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = rebuilt.connect()
    store = MemoryRowStore([totals])
    assert registry.take_turn(connection, store.name)
    settle(Writer(store, connection, seconds_between_purges=0))
    rebuild(rebuilt.connection, totals)

    monkeypatch.setattr(
        "eventstore.rebuilding.rollback.find_kept", lambda *_: (2, 2, None)
    )
    done = roll_back(rebuilt.connection, totals)
    assert serving(store).generation == done.generation


def test_without_kept_rows_there_is_nothing_to_go_back_to(engine: Engine) -> None:
    ensure_generation(engine.pool, totals)
    with pytest.raises(NothingKept, match="no rows from before are kept"):
        roll_back(engine.connection, totals)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("UPDATE fillings SET shape = 'x' WHERE generation = 'totals_g1'", "deploy"),
        (
            "DELETE FROM fillings WHERE generation = 'totals_g1'",
            "older than the notes on fillings",
        ),
        ("UPDATE fillings SET phase = 'filling'", "was never live"),
        ("DELETE FROM subscriptions WHERE name = 'totals_g1'", "taken away"),
    ],
)
def test_kept_rows_that_this_code_cannot_read_on_are_refused(
    rebuilt: Engine, change: str, words: str
) -> None:
    rebuilt.connection.execute(change)
    with pytest.raises(NothingKept, match=words):
        roll_back(rebuilt.connection, totals)

    assert live_generations(rebuilt.connection)["totals"].number == 2


def test_kept_rows_of_other_code_are_put_back_and_it_is_said(rebuilt: Engine) -> None:
    rebuilt.connection.execute(
        "UPDATE fillings SET fold_version = 'x' WHERE generation = 'totals_g1'"
    )

    assert not roll_back(rebuilt.connection, totals).is_of_this_code


def test_rows_that_two_codes_have_made_are_taken_for_none_of_theirs(
    rebuilt: Engine,
) -> None:
    """A copy of the past would take them, and going back again would say nothing."""
    connection = rebuilt.connection
    connection.execute(
        "UPDATE fillings SET fold_version = 'x' WHERE generation = 'totals_g1'"
    )
    roll_back(connection, totals)
    versions = connection.execute(
        "SELECT generation, fold_version IS NULL FROM fillings ORDER BY 1"
    ).fetchall()
    rebuild(connection, totals)

    assert versions == [("totals_g2", False), ("totals_g3", True)]
    assert not roll_back(connection, totals).is_of_this_code


def test_what_was_filled_and_never_live_is_not_gone_back_to(rebuilt: Engine) -> None:
    begin(rebuilt.connection, totals, 1)
    assert existing_generations(rebuilt.connection, "totals") == {1, 2, 3}
    done = roll_back(rebuilt.connection, totals)

    assert (done.former, done.generation) == (1, 3)
    assert existing_generations(rebuilt.connection, "totals") == {2, 3}


def test_changes_that_were_dropped_by_hand_are_made_for_it(rebuilt: Engine) -> None:
    with rebuilt.connection.transaction():
        follow(rebuilt.connection, totals)
    rebuild(rebuilt.connection, totals)
    drop_changes(rebuilt.connection, "totals_g2")
    roll_back(rebuilt.connection, totals)
    follower: Any = Follower()
    follower.take_all(rebuilt.connection)

    assert follower.rows == table(rebuilt.connection)


def total_without_thirteen(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
    if fact.event.amount == 13:
        raise ValueError("thirteen")
    return totals.fold(row, fact, looked_up)


def test_an_event_that_cannot_be_projected_parks_its_stream_on_the_way_back(
    rebuilt: Engine,
) -> None:
    """The live rows have parked it, and that must not keep them live."""
    connection = rebuilt.connection
    projection = replace(totals, fold=total_without_thirteen)
    write(connection, ("a2", 13), ("a2", 1), ("b3", 2))
    with pytest.raises(RebuildFailed, match="thirteen"):
        roll_back(connection, projection)
    assert live_generations(connection)["totals"].number == 2
    found: list[str] = []
    parker = Parker(report=lambda _, failure: found.append(failure.stream_id))
    done = roll_back(connection, projection, parker=parker)

    assert (done.generation, found) == (3, ["counter-a2"])
    [entry] = find_parked(connection, "totals")
    assert entry.stream_id == "counter-a2"
    # What was read before is there, and it goes on behind it.
    write(connection, ("b3", 1))
    caught_up = catch_up(connection, Parker().subscription_of(projection, 3))
    assert caught_up.error is None
    totals_now = {key: row.total for key, row in table(connection).items()}
    assert (totals_now["a2"], totals_now["b3"]) == (4, 3)

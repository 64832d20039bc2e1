"""Changes of rows: a follower has the rows of the table, whatever happens to it."""

import random
import re
import threading
from functools import partial
from typing import Any

import psycopg
import pytest

from eventstore.errors import CheckpointNotInLog
from eventstore.projections.following import follow
from eventstore.projections.generations import ensure_generation
from eventstore.projections.project import subscription_of
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.shared_pass import read_together
from tests.support.engine import Engine
from tests.support.round_trips import count_round_trips
from tests.support.row_follower import (
    Follower,
    keep_up,
    others,
    table,
    totals,
    waits_or_has_ended,
    write,
)
from tests.support.waiting import wait_until


@pytest.fixture
def followed(engine: Engine) -> Engine:
    """The engine with two read models, of which one is followed."""
    for projection in (totals, others):
        ensure_generation(engine.pool, projection)
    with engine.connection.transaction():
        assert follow(engine.connection, totals)
    return engine


NAMES = ["a", "b", *(f"{group}{n}" for group in "ab" for n in range(12))]


def amounts(chance: random.Random, count: int) -> list[tuple[str, int]]:
    """Events of counters: folds, deletions, and renames of a group's rows."""
    return [(chance.choice(NAMES), chance.randint(1, 40)) for _ in range(count)]


def test_a_follower_has_the_rows_of_the_table_through_everything(
    followed: Engine,
) -> None:
    """Folds, renames, deletions and rebuilds, with passes of two readers beside it."""
    chance = random.Random(20_260)
    is_over = threading.Event()
    errors: list[BaseException] = []

    def read(connection: psycopg.Connection[Any]) -> None:
        try:
            while not is_over.is_set():
                keep_up(connection, totals, others)
        except BaseException as error:
            errors.append(error)

    readers = [
        threading.Thread(target=read, args=(followed.connect(),)) for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    follower, rebuilder = Follower(), followed.connect()
    try:
        for turn in range(300):
            write(followed.connection, *amounts(chance, chance.randint(1, 12)))
            if turn in (90, 91, 220):
                rebuild(rebuilder, totals)
            for _ in range(chance.randint(0, 3)):
                follower.take(followed.connection, chance.choice([1, 2, 7, 100]))
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
    keep_up(followed.connection, totals, others)
    follower.take_all(followed.connection, 7)

    assert errors == []
    assert follower.begun >= 2
    assert len(follower.rows) > 5
    assert (
        follower.rows
        == table(followed.connection)
        == table(followed.connection, others)
    )
    assert any(change.row is None for change in follower.changes)


def test_a_change_of_many_rows_is_one_number_and_its_pages_end_by_key(
    followed: Engine,
) -> None:
    write(followed.connection, ("a", 1), *((f"a{n}", 1) for n in range(9)))
    keep_up(followed.connection)
    follower = Follower()
    follower.take_all(followed.connection)
    # The rows of group 1 get another number by one statement.
    write(followed.connection, ("b", 10))
    keep_up(followed.connection)
    pages = [follower.take(followed.connection, 4) for _ in range(3)]

    renamed = [change for page in pages for change in page.changes]
    assert [len(page.changes) for page in pages] == [4, 4, 3]
    assert [page.is_last for page in pages] == [False, False, True]
    assert len({change.change for change in renamed}) == 1
    assert [change.key for change in renamed] == sorted(c.key for c in renamed)
    assert {change.position for change in renamed} == {11}
    assert follower.rows == table(followed.connection)


def test_a_deleted_row_is_gone_for_a_follower_until_it_comes_back(
    followed: Engine,
) -> None:
    follower = Follower()
    # A total that seven divides has no row.
    for amount, there in ((1, {"a1": 1}), (6, {}), (2, {"a1": 2})):
        write(followed.connection, ("a1", amount))
        keep_up(followed.connection)
        follower.take_all(followed.connection)
        assert {key: row.total for key, row in follower.rows.items()} == there


def test_following_costs_no_round_trip(followed: Engine) -> None:
    subscriptions = [subscription_of(totals, 1)], [subscription_of(others, 1)]
    counted = []
    for some in subscriptions:
        read_together(followed.connection, some)
        write(followed.connection, ("a", 1), ("a1", 1), ("b", 10))
        work = partial(read_together, followed.connection, some)
        counted.append(count_round_trips(followed.connection, work))

    assert counted[0] == counted[1]


@pytest.mark.parametrize("is_drawn_under_the_lock", [True, False])
def test_numbers_are_in_the_order_of_commits_because_of_the_counters_lock(
    followed: Engine, is_drawn_under_the_lock: bool
) -> None:
    """
    The second case is a negative control: nobody holds the number until the commit.

    A number then comes after a greater one that was read, and its row is missed.
    """
    write(followed.connection, ("a1", 1), ("b1", 1))
    keep_up(followed.connection)
    if not is_drawn_under_the_lock:
        draw_without_lock(followed.connection)
    follower, first, second = Follower(), followed.connect(), followed.connect()
    change = "UPDATE readmodels.totals_g1 SET total = total + 1 WHERE counter = %s"
    with first.transaction():
        first.execute(change, ("a1",))
        other = threading.Thread(target=second.execute, args=(change, ("b1",)))
        other.start()
        wait_until(lambda: waits_or_has_ended(followed, second, other), "it waits")
        follower.take_all(followed.connection)
    other.join()
    follower.take_all(followed.connection)

    is_whole = follower.rows == table(followed.connection)
    assert is_whole == is_drawn_under_the_lock


def draw_without_lock(connection: psycopg.Connection[Any]) -> None:
    """Make the trigger draw numbers that nobody holds until the commit."""
    ((source,),) = connection.execute(
        "SELECT pg_get_functiondef('readmodels.totals_g1_changes'::regproc)"
    ).fetchall()
    drawing = re.compile(r"UPDATE public\.change_counters.*?END IF;", re.DOTALL)
    by_clock = "drawn := (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;"
    assert drawing.search(source)
    connection.execute(drawing.sub(by_clock, source))
    # Nobody moves it: any number is one that it has had.
    connection.execute("UPDATE change_counters SET change = 9e18")


def test_a_number_never_comes_twice_though_the_counter_was_restored(
    followed: Engine,
) -> None:
    """Else a cursor from after the backup would pass over what comes next."""
    write(followed.connection, ("a1", 1))
    keep_up(followed.connection)
    follower = Follower()
    follower.take_all(followed.connection)
    followed.connection.execute("UPDATE change_counters SET change = 1")
    with pytest.raises(CheckpointNotInLog):
        follower.take(followed.connection, 1)
    write(followed.connection, ("a1", 1))
    keep_up(followed.connection)
    follower.take_all(followed.connection)

    assert follower.rows == table(followed.connection)


def test_a_hand_that_changes_rows_is_followed_too(followed: Engine) -> None:
    write(followed.connection, ("a1", 1), ("b1", 1))
    keep_up(followed.connection)
    follower = Follower()
    follower.take_all(followed.connection)
    followed.connection.execute("UPDATE readmodels.totals_g1 SET total = 9")
    follower.take_all(followed.connection)

    assert follower.rows == table(followed.connection)
    assert [change.position for change in follower.changes[-2:]] == [2, 2]

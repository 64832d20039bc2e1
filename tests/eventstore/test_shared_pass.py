"""A shared pass: the log is read once for all, and who fails stops nobody else."""

import random
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest

from eventstore.projections.project import subscription_of
from eventstore.subscriptions.shared_pass import FAR, read_together
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import Engine, at_once
from tests.support.round_trips import count_round_trips
from tests.support.shared_passes import (
    checkpoints,
    fail_at_13,
    folded,
    made,
    plain,
    projection_called,
    read,
    rows,
    write,
)


def allow_next_try(engine: Engine) -> None:
    engine.connection.execute(
        "UPDATE subscriptions SET next_try_at = '-infinity'"
        " WHERE next_try_at IS NOT NULL"
    )


@pytest.mark.parametrize("seed", range(5))
def test_all_get_the_rows_that_each_gets_alone_whatever_the_batch(
    engine: Engine, seed: int
) -> None:
    """With look-ups, deletions, and updates of many rows between the folds."""
    chance = random.Random(seed)
    names = ["a", "b", "a1", "a2", "b1", "b2", "a3"]
    write(engine, *[(chance.choice(names), chance.randint(1, 30)) for _ in range(150)])
    subscriptions = made(engine, *[projection_called(f"p{n}") for n in range(4)])
    for subscription in subscriptions[:3]:
        batch = {"p0_g1": 1, "p1_g1": 7, "p2_g1": 500}[subscription.name]
        while not read_together(engine.connection, [subscription], batch=batch).is_last:
            pass
    while not read_together(engine.connection, subscriptions, batch=40).is_last:
        pass

    assert len(rows(engine, "p0")) > 2
    assert len({tuple(rows(engine, f"p{n}")) for n in range(4)}) == 1


def test_round_trips_are_counted(engine: Engine) -> None:
    """Else equal numbers of them would say nothing."""
    connection = engine.connection

    def ask(times: int) -> None:
        for _ in range(times):
            connection.execute("SELECT 1").fetchall()

    def ask_together() -> None:
        with connection.pipeline():
            asked = [connection.execute("SELECT 1") for _ in range(3)]
            asked[-1].fetchall()

    assert count_round_trips(connection, partial(ask, 3)) == 3
    # The end of a pipeline is one, too.
    assert count_round_trips(connection, ask_together) == 2


def test_the_number_of_round_trips_is_that_of_one_read_model(engine: Engine) -> None:
    subscriptions = made(engine, *[projection_called(f"p{n}") for n in range(9)])
    counted: list[int] = []
    for some in (subscriptions[:1], subscriptions[1:]):
        read_together(engine.connection, some)
        engine.append("counter-a1", 1, 10, expected=2 * len(counted))
        counted.append(
            count_round_trips(
                engine.connection, partial(read_together, engine.connection, some)
            )
        )

    assert counted[0] == counted[1] <= 6


def test_a_fold_that_fails_stops_its_own_read_model_alone(engine: Engine) -> None:
    subscriptions = made(engine, plain("bad", fail_at_13), plain("good", folded))
    write(engine, ("lamp", 5), ("radio", 13), ("lamp", 9))
    done = read(engine, subscriptions)

    assert isinstance(done.error, Exception)
    assert checkpoints(engine) == {"bad_g1": 1, "good_g1": 3}
    assert rows(engine, "good") == [("lamp", 14, None), ("radio", 13, None)]


def test_who_failed_is_set_apart_and_the_others_go_on_together(engine: Engine) -> None:
    subscriptions = made(engine, plain("bad", fail_at_13), plain("good", folded))
    write(engine, ("radio", 13))
    read(engine, subscriptions)
    write(engine, ("lamp", 5))
    done = read(engine, subscriptions)

    assert done.error is None
    assert (done.skipped, done.handled) == (["bad_g1"], {"good_g1": 1})


def test_who_was_set_apart_is_tried_alone_later_and_later(engine: Engine) -> None:
    subscriptions = made(engine, plain("bad", fail_at_13))
    write(engine, ("radio", 13))
    waits: list[Any] = []
    for _ in range(8):
        allow_next_try(engine)
        read(engine, subscriptions)
        waits += (
            engine.connection.execute(
                "SELECT round(extract(epoch FROM next_try_at - clock_timestamp()))::int"
                " FROM subscriptions"
            ).fetchone()
            or ()
        )

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_who_is_mended_is_read_with_the_others_again(engine: Engine) -> None:
    bad, good = plain("bad", fail_at_13), plain("good", folded)
    subscriptions = made(engine, bad, good)
    write(engine, ("radio", 13))
    read(engine, subscriptions)
    allow_next_try(engine)
    mended = [replace_fold(subscriptions[0]), subscriptions[1]]
    read(engine, mended)
    write(engine, ("lamp", 5))

    assert read(engine, mended).handled == {"bad_g1": 1, "good_g1": 1}
    assert rows(engine, "bad") == rows(engine, "good")


def replace_fold(subscription: Subscription) -> Subscription:
    """Return the subscription of the same rows, whose fold fails no more."""
    mended = subscription_of(plain("bad", folded), 1)
    assert mended.name == subscription.name
    return mended


def test_a_table_that_was_dropped_stops_its_own_read_model_alone(
    engine: Engine,
) -> None:
    subscriptions = made(engine, plain("gone", folded), plain("good", folded))
    engine.connection.execute("DROP TABLE readmodels.gone_g1 CASCADE")
    write(engine, ("lamp", 5))
    read(engine, subscriptions)

    assert checkpoints(engine) == {"gone_g1": 0, "good_g1": 1}


def test_a_statement_that_takes_too_long_is_undone_and_done_alone(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "eventstore.subscriptions.shared_pass.STATEMENT_TIMEOUT_MS", 100
    )
    subscriptions = made(engine, plain("slow", folded), plain("good", folded))
    engine.connection.execute(
        """
        CREATE FUNCTION pg_temp.rest() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_sleep(0.3); RETURN NEW; END';
        CREATE TRIGGER rest BEFORE INSERT ON readmodels.slow_g1
            FOR EACH ROW EXECUTE FUNCTION pg_temp.rest();
        """
    )
    write(engine, ("lamp", 5))
    done = read(engine, subscriptions)

    assert isinstance(done.error, psycopg.errors.QueryCanceled)
    assert checkpoints(engine) == {"slow_g1": 1, "good_g1": 1}
    assert rows(engine, "slow") == rows(engine, "good") == [("lamp", 5, None)]


def test_two_that_read_at_once_hand_each_event_over_once(engine: Engine) -> None:
    subscriptions = made(engine, *[plain(f"p{n}", folded) for n in range(3)])
    write(engine, *[("lamp", 1)] * 40)

    def read_all_of_it(connection: psycopg.Connection[Any]) -> None:
        end = 0
        while end < 40:
            done = read_together(connection, subscriptions, batch=1)
            assert done.error is None
            end = max(end, done.checkpoint)

    at_once(engine, read_all_of_it, read_all_of_it)
    assert [rows(engine, f"p{n}") for n in range(3)] == [[("lamp", 40, None)]] * 3


def test_who_is_far_behind_is_read_alone(engine: Engine) -> None:
    subscriptions = made(engine, plain("new", folded), plain("old", folded))
    write(engine, ("lamp", 1))
    read_together(engine.connection, subscriptions[1:])
    engine.connection.execute("SELECT setval('events_id_seq', %s)", (FAR + 10,))
    engine.append("counter-lamp", 1, expected=1)
    read_together(engine.connection, subscriptions[1:])
    done = read_together(engine.connection, subscriptions)

    assert (done.to_read_alone, list(done.handled)) == (["new_g1"], ["old_g1"])


def test_who_does_its_work_in_no_steps_is_left_where_it_has_some(
    engine: Engine,
) -> None:
    """Else its checkpoint goes along with the others'."""
    seen: list[int] = []
    hand = Subscription(
        name="hand",
        types=["Added"],
        handler=lambda _, events: seen.extend(event.position for event in events),
    )
    other = replace(hand, name="other", types=["Never"])
    for one in (hand, other):
        engine.connection.execute(
            "INSERT INTO subscriptions (name) VALUES (%s)", (one.name,)
        )
    subscriptions = [hand, other, *made(engine, plain("good", folded))]
    write(engine, ("lamp", 1))
    done = read(engine, subscriptions)

    assert (done.to_read_alone, seen) == (["hand"], [1])
    assert checkpoints(engine) == {"hand": 1, "other": 1, "good_g1": 1}


def test_who_stands_at_a_wrong_place_is_left_and_told_of(engine: Engine) -> None:
    subscriptions = made(engine, plain("ahead", folded), plain("good", folded))
    engine.connection.execute(
        "UPDATE subscriptions SET checkpoint = 99 WHERE name = 'ahead_g1'"
    )
    write(engine, ("lamp", 1))
    done = read(engine, subscriptions)
    ((error,),) = engine.connection.execute(
        "SELECT error ->> 'kind' FROM subscriptions WHERE name = 'ahead_g1'"
    ).fetchall()

    assert (done.to_read_alone, done.handled, error) == (
        ["ahead_g1"],
        {"good_g1": 1},
        "checkpoint",
    )


KILLER = """
    import os, sys
    from tests.support import shared_passes as here
    from tests.support.engine import open_engine

    def kill(row, fact, looked_up):
        os.kill(os.getpid(), 9)

    engine = open_engine(sys.argv[1])
    killer = here.subscription_of(here.plain("killer", kill), 1)
    good = here.subscription_of(here.plain("good", here.folded), 1)
    here.read(engine, [killer, good])
"""


def test_who_kills_its_process_stops_the_others_twice_at_most(engine: Engine) -> None:
    """Once with the others, once alone; then it is set apart, and they read on."""
    made(engine, plain("killer", folded), plain("good", folded))
    write(engine, ("lamp", 1))
    ends = []
    for _ in range(3):
        code = [sys.executable, "-c", textwrap.dedent(KILLER), engine.url]
        ends.append(subprocess.run(code, check=False, timeout=60).returncode)
    ((error,),) = engine.connection.execute(
        "SELECT error ->> 'kind' FROM subscriptions WHERE name = 'killer_g1'"
    ).fetchall()

    assert ends == [-signal.SIGKILL, -signal.SIGKILL, 0]
    assert checkpoints(engine) == {"killer_g1": 0, "good_g1": 1}
    assert error == "killed"

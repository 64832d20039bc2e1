"""Waiting for a read model: who has just written something reads it."""

import threading
import time

import psycopg
import pytest

from eventstore.projections.freshness import Freshness, wait_for
from eventstore.projections.generations import ensure_generation
from eventstore.projections.project import subscription_of
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine
from tests.support.totals import totals

LONG = 30.0


@pytest.fixture
def read_model(engine: Engine) -> Engine:
    """A read model that knows the first of two events."""
    ensure_generation(engine.pool, totals)
    engine.append("counter-lamp", 5, expected=0)
    catch_up(engine.connection, subscription_of(totals, 1))
    engine.append("counter-lamp", 7, expected=1)
    return engine


def test_what_is_there_is_not_waited_for(read_model: Engine) -> None:
    position = wait_for(read_model.connection, totals, 1, seconds=LONG)

    assert (position.reached, position.behind) == (1, 0)


def test_it_is_waited_until_it_is_there(read_model: Engine) -> None:
    def follow(connection: psycopg.Connection[object]) -> None:
        time.sleep(0.1)
        catch_up(connection, subscription_of(totals, 1))

    thread = threading.Thread(target=follow, args=(read_model.connect(),))
    thread.start()
    position = wait_for(read_model.connection, totals, 2, seconds=LONG)
    thread.join()

    assert position == Freshness(reached=2, behind=0)


def test_after_the_time_it_says_how_far_behind_it_is(read_model: Engine) -> None:
    position = wait_for(read_model.connection, totals, 2, seconds=0.05)

    assert (position.reached, position.behind) == (1, 1)
    assert position.unread_since is not None
    assert 0.05 <= (position.seconds_behind or 0) < LONG


def test_what_the_log_does_not_have_is_not_waited_for(read_model: Engine) -> None:
    started = time.monotonic()
    position = wait_for(read_model.connection, totals, 10**15, seconds=LONG)

    assert position.behind == 10**15 - 1
    assert time.monotonic() - started < LONG / 2


def test_a_rebuilt_read_model_stands_where_its_new_rows_do(
    read_model: Engine,
) -> None:
    rebuild(read_model.connection, totals)
    position = wait_for(read_model.connection, totals, 2, seconds=LONG)

    assert position == Freshness(reached=2, behind=0)


def test_a_read_model_that_is_not_there_has_reached_nothing(engine: Engine) -> None:
    engine.append("counter-lamp", 5, expected=0)

    assert wait_for(engine.connection, totals, 1, seconds=0.0) == Freshness(0, 1)

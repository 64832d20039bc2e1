"""A hot stream: what it costs does not grow, and each command is decided about once."""

import time
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest

from benchmarks.hot_stream import HOT, Work, fill, run_workers
from eventstore.journal.drain import drain
from eventstore.journal.runner import Limits, Runner
from eventstore.journal.take import take
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tasks.commands import keeps_snapshots
from tasks.shop.wiring import Shop
from tests.support.engine import COUNTERS, Add, Engine

CLOCK = "counter-clock"

add = Add(counter_id="clock")


def snapshots(engine: Engine) -> list[tuple[str, int]]:
    return engine.connection.execute(
        "SELECT stream_id, version FROM snapshots"
    ).fetchall()


def drain_with(engine: Engine, long_past: int, *, keeps: bool = True) -> None:
    limits = Limits(commands=10, long_past=long_past, keeps_snapshots=lambda _: keeps)
    ids = [engine.accept(add) for _ in range(20)]
    engine.drain(ids[0], limits=limits)


def test_a_runner_keeps_a_snapshot_of_a_past_that_was_long_to_load(
    engine: Engine,
) -> None:
    engine.append(CLOCK, *[1] * 30, expected=0)
    drain_with(engine, 30)

    # The second take reads the ten events of the first, which is not long.
    assert snapshots(engine) == [(CLOCK, 30)]
    assert engine.amounts(CLOCK) == [1] * 50


def test_one_that_is_short_or_that_nobody_wants_a_snapshot_of_gets_none(
    engine: Engine,
) -> None:
    engine.append(CLOCK, *[1] * 30, expected=0)
    drain_with(engine, 51)
    drain_with(engine, 30, keeps=False)

    assert snapshots(engine) == []
    assert len(engine.amounts(CLOCK)) == 70


def test_a_snapshot_that_cannot_be_kept_keeps_no_command_from_being_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise psycopg.errors.InsufficientPrivilege

    monkeypatch.setattr("eventstore.aggregates.loading.keep", refuse)
    engine.append(CLOCK, *[1] * 30, expected=0)
    drain_with(engine, 30)

    assert engine.amounts(CLOCK) == [1] * 50


def test_a_queue_of_thousands_is_taken_a_hundred_at_a_time(engine: Engine) -> None:
    ids = fill(engine.connection, 3_000)
    runner = Runner(deciders=COUNTERS, name="worker")
    taken = take(engine.connection, ids[0], runner)

    assert taken is not None
    assert (taken.stream_id, len(taken.commands)) == (HOT, 100)


def test_a_long_queue_leaves_the_runner_to_other_streams_in_between(
    engine: Engine,
) -> None:
    ids = [engine.accept(add) for _ in range(300)]
    limits = Limits(commands=1, seconds_of_draining=0.05)
    started = time.monotonic()
    runner = Runner(deciders=COUNTERS, name="worker", limits=limits)
    drained = drain(engine.connection, ids[:1], runner)

    assert 0 < drained.finished < 300
    assert time.monotonic() - started < 2
    assert drained.left == [ids[drained.finished]]


def test_a_shop_that_wants_no_snapshots_of_a_category_gets_none() -> None:
    policy = SnapshotPolicy(by_category={"order": None})
    shop = SimpleNamespace(settings=SimpleNamespace(snapshot_policy=policy))

    assert keeps_snapshots(cast(Shop, shop), "customer-1")
    assert not keeps_snapshots(cast(Shop, shop), "order-1")


@pytest.mark.races
def test_eight_workers_on_one_hot_stream_decide_each_command_about_once(
    module_database: str, engine: Engine
) -> None:
    """Each has a message of its own, as they all come at once from a broker."""
    ids = fill(engine.connection, 2_000)
    worked = run_workers(module_database, engine.connection, ids, workers=8)

    assert total(worked, "finished") == 2_000
    assert total(worked, "decided") <= 1.1 * 2_000
    assert len(engine.stream(HOT)) == 2_000
    assert [event.version for event in engine.stream(HOT)] == list(range(1, 2_001))


def total(worked: list[Work], what: str) -> int:
    return sum(getattr(work, what) for work in worked)

"""A runtime: read models, process managers and commands, kept up by a few threads."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventstore.log.append import NO_STREAM, append
from eventstore.rebuilding.rebuild import rebuild
from eventstore.runtime.runtime import Runtime
from eventstore.runtime.waking import wake
from eventstore.runtime.worker import Worker
from eventstore.subscriptions.lag import SubscriptionLag
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tests.support.engine import (
    SECRET,
    Add,
    Engine,
    added,
    counters,
    decide,
)
from tests.support.runtimes import (
    FOLLOWER,
    lag_of,
    rows,
    runtime_on,
    send_one,
    statuses,
    totals,
    url_of,
)
from tests.support.waiting import wait_until


def test_what_is_sent_is_done_and_shown(engine: Engine) -> None:
    with runtime_on(engine, totals()) as runtime:
        send_one(engine.connection, Add(counter_id="clock", amount=5))
        send_one(engine.connection, Add(counter_id="clock", amount=2))
        runtime.wait()

        assert rows(engine) == {"clock": 7}
        assert lag_of(runtime, "totals_g1").lag == 0


def test_what_was_appended_before_and_besides_is_shown(engine: Engine) -> None:
    engine.append("counter-clock", 5, expected=0)
    with runtime_on(engine, totals()) as runtime:
        runtime.wait()
        assert rows(engine) == {"clock": 5}

        engine.append("counter-clock", 4, expected=1)
        # Nobody has said a word.
        wait_until(lambda: rows(engine) == {"clock": 9}, "the second append is shown")


@pytest.fixture
def _sleeping_soundly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers look by themselves once an hour."""
    monkeypatch.setattr("eventstore.runtime.worker.SHORTEST_PAUSE", 3600.0)
    monkeypatch.setattr(Worker, "longest_pause", 3600.0)


@pytest.mark.usefixtures("_sleeping_soundly")
def test_another_process_wakes_it_by_a_word(engine: Engine) -> None:
    with runtime_on(engine, totals(), snapshots=None) as runtime:
        send_one(engine.connection, Add(counter_id="clock"))
        runtime.wait()
        send_one(engine.connection, Add(counter_id="clock", amount=2))
        wait_until(lambda: rows(engine) == {"clock": 3}, "what was sent is shown")
        with engine.connect(autocommit=False) as connection:
            append(
                connection,
                [("counter-bell", added(5))],
                expected={"counter-bell": NO_STREAM},
            )
            wake(connection)
        wait_until(lambda: rows(engine) == {"clock": 3, "bell": 5}, "and appended")


def test_a_process_manager_acts_once_on_what_happens_from_its_start_on(
    engine: Engine,
) -> None:
    engine.append("counter-clock", 100, expected=0)
    options: dict[str, Any] = {"process_managers": [FOLLOWER], "secret": SECRET}
    with runtime_on(engine, totals(), **options) as runtime:
        send_one(engine.connection, Add(counter_id="clock", amount=5))
        runtime.wait()
    with runtime_on(engine, totals(), **options) as runtime:
        runtime.wait()

    assert rows(engine) == {"clock": 105, "lamp": 5}


def test_several_runtimes_share_the_work(engine: Engine) -> None:
    options: dict[str, Any] = {"process_managers": [FOLLOWER], "secret": SECRET}
    with (
        runtime_on(engine, totals(), **options) as one,
        runtime_on(engine, totals(), **options),
        runtime_on(engine, totals(), **options),
    ):
        for _ in range(30):
            send_one(engine.connection, Add(counter_id="clock"))
            send_one(engine.connection, Add(counter_id="bell"))
        one.wait()

    assert rows(engine) == {"clock": 30, "bell": 30, "lamp": 30}
    assert set(statuses(engine)) == {("Add", "succeeded")}


def test_a_scheduled_command_is_run_when_it_is_due(engine: Engine) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    with runtime_on(engine, totals()) as runtime:
        send_one(engine.connection, Add(counter_id="clock"), not_before=soon)
        runtime.wait()
        assert statuses(engine) == [("Add", "accepted")]

        wait_until(lambda: rows(engine) == {"clock": 1}, "it is done")
    assert datetime.now(UTC) >= soon


def test_streams_that_have_grown_get_a_snapshot(engine: Engine) -> None:
    engine.append("counter-clock", 1, 1, 1, expected=0)

    def taken() -> Sequence[Any]:
        query = "SELECT stream_id, version FROM snapshots"
        return engine.connection.execute(query).fetchall()

    with runtime_on(engine, snapshots=SnapshotPolicy(2)):
        wait_until(lambda: taken() == [("counter-clock", 3)], "there is a snapshot")


def test_a_rebuild_beside_it_puts_another_generation_in_its_place(
    engine: Engine,
) -> None:
    engine.append("counter-clock", 1, expected=0)
    with runtime_on(engine, totals()) as runtime:
        runtime.wait()
        rebuild(engine.connect(), totals())
        send_one(engine.connection, Add(counter_id="clock"))
        wait_until(lambda: rows(engine) == {"clock": 2}, "the new one is kept")


def test_who_is_behind_is_reported_now_and_then(engine: Engine) -> None:
    reports: list[Sequence[SubscriptionLag]] = []
    with runtime_on(engine, totals(), report=reports.append, report_seconds=0.01):
        wait_until(lambda: len(reports) > 1, "there is a second report")

    assert [lag.name for lag in reports[0]] == ["snapshots", "totals_g1"]


def test_a_runtime_that_stops_ends_what_it_is_doing(engine: Engine) -> None:
    is_deciding, may_go_on = threading.Event(), threading.Event()

    def decide_slowly(*state: Any, **others: Any) -> Sequence[Any]:
        is_deciding.set()
        assert may_go_on.wait(60)
        return decide(*state, **others)

    runtime = Runtime(url_of(engine), counters(decide_slowly)).start()
    send_one(engine.connection, Add(counter_id="clock"))
    assert is_deciding.wait(60)

    assert not runtime.stop(0.05)
    may_go_on.set()
    assert runtime.stop()
    assert statuses(engine) == [("Add", "succeeded")]


def test_process_managers_need_a_secret(engine: Engine) -> None:
    with pytest.raises(ValueError, match="secret"):
        runtime_on(engine, process_managers=[FOLLOWER])


def test_a_runtime_is_started_once(engine: Engine) -> None:
    with runtime_on(engine) as runtime, pytest.raises(RuntimeError, match="once"):
        runtime.start()

"""The snapshot taker notices which streams have grown, and stops for nothing."""

import logging
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import load
from eventstore.log.append import append
from eventstore.log.codec import EventCodec
from eventstore.subscriptions import snapshot_taker as taking
from eventstore.subscriptions.catch_up import CaughtUp, catch_up
from eventstore.subscriptions.snapshot_taker import (
    SnapshotPolicy,
    ensure_snapshot_taker,
    snapshot_taker,
)
from tests.support.engine import COUNTERS, Counter, Engine, added
from tests.support.snapshots import keep_snapshot, returned_rows, row_of

EVERY_FIVE = SnapshotPolicy(5)
CLOCK = "counter-clock"
LAMP = "counter-lamp"
(COUNTER,) = COUNTERS.all


def take(
    engine: Engine,
    deciders: Deciders = COUNTERS,
    *,
    batch: int = 500,
    policy: SnapshotPolicy = EVERY_FIVE,
    interruptions: tuple[type[Exception], ...] = (),
) -> CaughtUp:
    """Take snapshots every five events, as far as the log goes."""
    ensure_snapshot_taker(engine.connection)
    taker = snapshot_taker(deciders, policy=policy, interruptions=interruptions)
    return catch_up(
        engine.connection, replace(taker, batch=batch), interruptions=interruptions
    )


def versions(engine: Engine) -> dict[str, int]:
    """Return the version of each stream's snapshot."""
    rows = engine.connection.execute("SELECT stream_id, version FROM snapshots")
    return dict(rows.fetchall())


def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write down the statements that are sent from here on."""
    sent: list[str] = []
    send = psycopg.Connection.execute

    def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        sent.append(str(query))
        return send(self, query, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "execute", execute)
    return sent


def test_a_stream_that_has_grown_gets_a_snapshot(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, 3, 4, 5, 6, expected=0)
    engine.append(LAMP, 1, 2, 3, 4, expected=0)
    take(engine)

    assert versions(engine) == {CLOCK: 6}
    assert row_of(engine.connection, CLOCK)["state"] == {"total": 21}


def test_a_category_may_have_a_policy_of_its_own(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, 3, expected=0)
    take(engine, policy=SnapshotPolicy(5, {"counter": 2}))

    assert versions(engine) == {CLOCK: 3}


def test_of_a_category_there_may_never_be_one(engine: Engine) -> None:
    engine.append(CLOCK, *range(1, 20), expected=0)
    take(engine, policy=SnapshotPolicy(5, {"counter": None}))
    engine.append(CLOCK, 1, expected=19)
    take(engine, policy=SnapshotPolicy(None))

    assert versions(engine) == {}


def test_it_begins_at_the_beginning_and_goes_on_where_it_was(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, 3, expected=0)
    first = take(engine)
    engine.append(CLOCK, 4, expected=3)

    assert (first.handled, take(engine).handled) == (3, 1)


def test_a_snapshot_is_taken_anew_when_its_stream_has_grown_again(
    engine: Engine,
) -> None:
    engine.append(CLOCK, *range(5), expected=0)
    take(engine)
    engine.append(CLOCK, *range(4), expected=5)
    take(engine)
    before = versions(engine)
    engine.append(CLOCK, 1, expected=9)
    take(engine)

    assert (before, versions(engine)) == ({CLOCK: 5}, {CLOCK: 10})


def test_only_the_events_after_the_older_snapshot_are_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.append(CLOCK, *range(7), expected=0)
    take(engine)
    engine.append(CLOCK, *range(6), expected=7)
    with returned_rows(monkeypatch) as rows:
        take(engine)

    assert rows == [{"snapshot": 1, "event": 6}]


def test_the_snapshots_of_many_streams_take_three_statements(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(40):
        engine.append(f"counter-{n}", *range(5), expected=0)
    ensure_snapshot_taker(engine.connection)
    sent = statements(monkeypatch)
    take(engine)

    mentioning = [s for s in sent if "public.snapshots" in s or "public.load" in s]
    assert len(versions(engine)) == 40
    assert len(mentioning) == 3


def test_where_no_stream_is_long_enough_nothing_is_asked(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.append(CLOCK, 1, 2, 3, 4, expected=0)
    sent = statements(monkeypatch)
    take(engine)

    assert not any("public.snapshots" in s or "public.load" in s for s in sent)


def test_a_long_past_is_taken_batch_by_batch(engine: Engine) -> None:
    for version in range(0, 30, 3):
        engine.append(CLOCK, 1, 1, 1, expected=version)
        engine.append(LAMP, 1, 1, 1, expected=version)
    take(engine, batch=7)

    assert load(engine.connection, [CLOCK], COUNTERS).states[CLOCK] == Counter(30)
    assert all(26 <= version <= 30 for version in versions(engine).values())


def test_what_is_too_much_for_one_batch_goes_on_with_the_next_event(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MAX_EVENTS", 12)
    engine.append(CLOCK, *[1] * 20, expected=0)
    engine.append(LAMP, *[1] * 10, expected=0)
    take(engine)
    first = versions(engine)
    engine.append(CLOCK, 1, expected=20)
    engine.append(LAMP, 1, expected=10)
    take(engine)

    assert (first, versions(engine)) == ({CLOCK: 12}, {CLOCK: 13, LAMP: 11})


def test_a_snapshot_that_is_ahead_of_the_taker_stays(engine: Engine) -> None:
    engine.append(CLOCK, *[1] * 8, expected=0)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 8)
    take(engine, batch=6)

    assert versions(engine) == {CLOCK: 8}


UNREADABLE = {
    "an event type that nobody knows": replace(COUNTER, events=EventCodec([])),
    "a bug": replace(COUNTER, evolve=lambda state, event: 1 // 0),
}


@pytest.mark.parametrize("decider", UNREADABLE.values(), ids=list(UNREADABLE))
def test_a_stream_that_cannot_be_read_is_passed_over(
    engine: Engine, decider: Any, caplog: pytest.LogCaptureFixture
) -> None:
    engine.append(CLOCK, *range(5), expected=0)
    with caplog.at_level(logging.WARNING):
        reached = take(engine, Deciders([decider]))

    assert reached == CaughtUp(checkpoint=5, handled=5)
    assert versions(engine) == {}
    assert "no snapshot stream=counter-clock" in caplog.text


def test_those_beside_it_are_not(engine: Engine) -> None:
    engine.append(CLOCK, *range(5), expected=0)
    unknown = [("counter-odd", replace(added(1), type="Melted"))] * 5
    append(engine.connection, unknown, expected={"counter-odd": 0})
    take(engine)

    assert versions(engine) == {CLOCK: 5}


def test_a_stream_that_nobody_decides_on_is_passed_over(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    engine.append("meter-1", *range(5), expected=0)
    with caplog.at_level(logging.INFO):
        reached = take(engine)

    assert reached == CaughtUp(checkpoint=5, handled=5)
    assert "no snapshot stream=meter-1 reason=no decider" in caplog.text


class TimeIsUp(Exception):
    """What a runner's own time limit raises."""


def test_a_time_limit_is_not_taken_for_a_stream_that_cannot_be_read(
    engine: Engine,
) -> None:
    def run_out(state: Counter, event: object) -> Counter:
        raise TimeIsUp

    engine.append(CLOCK, *range(5), expected=0)

    with pytest.raises(TimeIsUp):
        take(
            engine,
            Deciders([replace(COUNTER, evolve=run_out)]),
            interruptions=(TimeIsUp,),
        )


def corrupt(engine: Engine) -> None:
    engine.connection.execute("UPDATE snapshots SET checksum = ''")


def test_a_corrupt_snapshot_is_counted_and_replaced_by_the_taker_too(
    engine: Engine,
) -> None:
    engine.append(CLOCK, *range(5), expected=0)
    take(engine)
    corrupt(engine)
    engine.append(CLOCK, *range(5), expected=5)
    take(engine)

    row = row_of(engine.connection, CLOCK)
    assert (row["version"], row["ignored"], row["ignored_because"]) == (
        10,
        1,
        "corrupt",
    )
    assert load(engine.connection, [CLOCK], COUNTERS).states[CLOCK] == Counter(20)
    assert row_of(engine.connection, CLOCK)["ignored"] == 1


def test_a_stale_snapshot_counts_as_none(engine: Engine) -> None:
    engine.append(CLOCK, *range(8), expected=0)
    take(engine)
    newer = Deciders([replace(COUNTER, snapshot_version=2)])
    engine.append(CLOCK, 1, expected=8)
    take(engine, newer)

    row = row_of(engine.connection, CLOCK)
    assert (row["version"], row["fingerprint"]) == (
        9,
        newer.all[0].snapshots.fingerprint,
    )
    assert (row["ignored"], row["ignored_because"]) == (1, "stale")


def test_an_emptied_table_fills_again(engine: Engine) -> None:
    engine.append(CLOCK, *range(8), expected=0)
    take(engine)
    engine.connection.execute("DELETE FROM snapshots")
    engine.append(CLOCK, 1, expected=8)
    take(engine)

    assert versions(engine) == {CLOCK: 9}


def test_two_takers_at_once_are_harmless(engine: Engine) -> None:
    engine.append(CLOCK, *range(8), expected=0)
    ensure_snapshot_taker(engine.connection)
    other = engine.connect(autocommit=False)
    other.execute("SELECT FROM subscriptions WHERE name = 'snapshots' FOR UPDATE")

    assert take(engine).is_held

"""Time travel: a stream as it was, and no answer that could still change."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventstore.aggregates.as_of import AsOf, load_as_of, versions_as_of
from eventstore.errors import NoSuchVersion, NotSettled
from eventstore.log.append import append
from tests.support.engine import COUNTERS, Engine, added
from tests.support.snapshots import keep_snapshot, returned_rows

CLOCK = "counter-clock"
LAMP = "counter-lamp"
JULY = datetime(1996, 7, 1, tzinfo=UTC)


def on_day(day: int) -> datetime:
    return JULY + timedelta(days=day)


def import_on(engine: Engine, stream_id: str, *days: int) -> None:
    """Import events that add 1, each on its day of July."""
    events = [(stream_id, added(1, occurred_at=on_day(day))) for day in days]
    append(engine.connection, events, expected={stream_id: 0})


def totals(engine: Engine, as_of: AsOf, *stream_ids: str) -> list[int]:
    streams = load_as_of(engine.connection, stream_ids, COUNTERS, as_of)
    return [streams.states[stream_id].total for stream_id in stream_ids]


@pytest.fixture
def clock(engine: Engine) -> Engine:
    """A counter that was added 1, 2, 3, 4 and 5 to."""
    engine.append(CLOCK, 1, 2, 3, 4, 5, expected=0)
    return engine


@pytest.mark.parametrize(("version", "total"), [(0, 0), (1, 1), (3, 6), (5, 15)])
def test_a_stream_as_of_a_version_has_the_events_up_to_it(
    clock: Engine, version: int, total: int
) -> None:
    assert totals(clock, AsOf(version=version), CLOCK) == [total]


def test_a_stream_as_of_now_has_all_events(clock: Engine) -> None:
    assert totals(clock, AsOf(), CLOCK) == [15]


@pytest.mark.parametrize("version", [6, 2**31, 10**30])
def test_a_version_that_is_not_there_is_refused(clock: Engine, version: int) -> None:
    with pytest.raises(NoSuchVersion, match=f"no version {version}: it is at 5"):
        totals(clock, AsOf(version=version), CLOCK)


def test_streams_as_of_a_position_have_what_stood_before_it(engine: Engine) -> None:
    engine.append(CLOCK, 1, expected=0)
    engine.append(LAMP, 10, expected=0)
    (position,) = engine.append(CLOCK, 2, expected=1)
    engine.append(CLOCK, 3, expected=2)
    engine.append(LAMP, 20, expected=1)

    assert totals(engine, AsOf(position=position), CLOCK, LAMP) == [3, 10]


def test_a_position_that_is_not_settled_is_refused(clock: Engine) -> None:
    slow = clock.connect(autocommit=False)
    append(slow, [(LAMP, added(1))], expected={LAMP: 0})
    (position,) = clock.append(CLOCK, 6, expected=5)

    with pytest.raises(NotSettled, match=f"Position {position} is not settled"):
        totals(clock, AsOf(position=position), CLOCK, LAMP)
    slow.commit()
    assert totals(clock, AsOf(position=position), CLOCK, LAMP) == [21, 1]


@pytest.mark.parametrize("position", [6, 2**63, 10**30])
def test_a_position_beyond_the_log_is_refused(clock: Engine, position: int) -> None:
    with pytest.raises(NotSettled, match="only 5 is"):
        totals(clock, AsOf(position=position), CLOCK)


@pytest.mark.parametrize(
    ("days", "at", "total"),
    [
        ([1, 2, 3], 0, 0),
        ([1, 2, 3], 2, 2),
        ([1, 2, 3], 9, 3),
        ([2, 2, 2], 2, 3),
        ([1, 5, 2], 3, 1),
        ([5, 1, 2], 3, 0),
        ([1, 3, 2], 3, 3),
    ],
)
def test_a_stream_as_of_a_time_is_its_longest_beginning_of_before_then(
    engine: Engine, days: Sequence[int], at: int, total: int
) -> None:
    import_on(engine, CLOCK, *days)

    assert totals(engine, AsOf(at=on_day(at)), CLOCK) == [total]


def test_many_streams_as_of_a_time_have_each_their_own_end(engine: Engine) -> None:
    import_on(engine, CLOCK, 1, 2, 9)
    import_on(engine, LAMP, 5, 6)

    as_of = AsOf(at=on_day(5))
    assert totals(engine, as_of, LAMP, CLOCK, "counter-none") == [1, 2, 0]


def test_a_time_may_have_any_zone(engine: Engine) -> None:
    import_on(engine, CLOCK, 1, 2)
    zoned = datetime.fromisoformat("1996-07-03T00:59:59+01:00")

    assert totals(engine, AsOf(at=zoned), CLOCK) == [1]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="a time needs a zone: 1996-07-04T00:00:00"):
        AsOf(at=datetime(1996, 7, 4))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize("point", ["version", "position"])
def test_what_lies_before_the_beginning_is_refused(point: str) -> None:
    points: dict[str, Any] = {point: -1}

    with pytest.raises(ValueError, match="count from 0"):
        AsOf(**points)


def test_two_points_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="one of them"):
        AsOf(version=1, position=1)


POINTS = {
    "version": AsOf(version=4),
    "position": AsOf(position=4),
    "time": AsOf(at=on_day(4)),
}


@pytest.mark.parametrize("as_of", POINTS.values(), ids=list(POINTS))
def test_a_snapshot_of_before_then_is_used(
    engine: Engine, as_of: AsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_on(engine, CLOCK, 1, 2, 3, 4, 5)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 3)
    with returned_rows(monkeypatch) as rows:
        assert totals(engine, as_of, CLOCK) == [4]

    assert rows == [{"snapshot": 1, "event": 1}]


@pytest.mark.parametrize("as_of", POINTS.values(), ids=list(POINTS))
def test_a_snapshot_of_after_then_is_not_used_and_no_fault(
    engine: Engine, as_of: AsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_on(engine, CLOCK, 1, 2, 3, 4, 5)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 5)
    with returned_rows(monkeypatch) as rows:
        assert totals(engine, as_of, CLOCK) == [4]

    assert rows == [{"event": 4}]
    ((ignored,),) = engine.connection.execute("SELECT ignored FROM snapshots")
    assert ignored == 0


def test_a_corrupt_snapshot_changes_nothing_of_the_past(engine: Engine) -> None:
    import_on(engine, CLOCK, 1, 2, 3, 4, 5)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 3)
    engine.connection.execute("""UPDATE snapshots SET state = '{"total": 100}'""")

    assert totals(engine, AsOf(version=4), CLOCK) == [4]
    assert totals(engine, AsOf(), CLOCK) == [5]


@pytest.mark.parametrize("as_of", POINTS.values(), ids=list(POINTS))
def test_the_version_of_then_is_told_without_loading(
    engine: Engine, as_of: AsOf
) -> None:
    import_on(engine, CLOCK, 1, 2, 3, 4, 5)

    assert versions_as_of(engine.connection, [CLOCK], as_of) == {CLOCK: 4}


def test_an_empty_stream_is_at_version_0(engine: Engine) -> None:
    assert versions_as_of(engine.connection, [CLOCK], AsOf()) == {CLOCK: 0}

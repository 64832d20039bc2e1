"""The progress of a rebuild: events counted once, and the seconds that are left."""

import pytest

from eventstore.log.append import append
from eventstore.rebuilding.progress import Estimate, EventCounts, count_events
from tests.support.engine import Engine, added
from tests.support.following import new_event
from tests.support.totals import totals


def test_only_events_of_its_types_are_counted(engine: Engine) -> None:
    others = [(f"order-{n}", new_event("PaymentReceived", "{}")) for n in range(30)]
    own = [(f"counter-{n}", added(1)) for n in range(10)]
    append(engine.connection, others, expected={name: 0 for name, _ in others})
    append(engine.connection, own, expected={name: 0 for name, _ in own})
    counts = count_events(engine.connection, totals, 40)

    assert counts.total == 10
    assert [counts.up_to(place) for place in (0, 30, 35, 40, 99)] == [0, 0, 5, 10, 10]


def test_an_empty_log_has_none(engine: Engine) -> None:
    assert count_events(engine.connection, totals, 0).total == 0


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_the_time_that_is_left_follows_the_events_and_not_the_positions(
    monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """Nine tenths of the log are others' events; 1,000 a second are read."""
    counts = EventCounts([0, 9_000, 10_000], [0, 1_000, 10_000])
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    estimate = Estimate(counts, 0, share, started=0.0)
    whole = 10 * (1 + share)
    for tenth in range(1, 11):
        clock[0] = float(tenth)
        progress = estimate.progress(tenth * 1_000)

        assert (progress.done, progress.total) == (tenth * 1_000, 10_000)
        assert progress.seconds_left == pytest.approx(whole - tenth)


def test_what_was_read_before_a_kill_does_not_make_it_fast(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = EventCounts([0, 10_000], [0, 10_000])
    monkeypatch.setattr("time.monotonic", lambda: 1.0)
    resumed = Estimate(counts, 8_000, 0.0, started=0.0)

    assert resumed.progress(8_000).seconds_left is None
    assert resumed.progress(8_500).seconds_left == pytest.approx(3)

"""The freshness of a read model says what it passes over, and does not wait for it."""

import pytest

from eventstore.log.append import ANY_VERSION, append
from eventstore.projections.freshness import Freshness, wait_for
from eventstore.projections.generations import ensure_generation
from eventstore.projections.parked_streams import drop_parked, find_parked
from eventstore.projections.parking import Parker
from eventstore.subscriptions.catch_up import catch_up
from tests.support.engine import Engine, added
from tests.support.totals import totals


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    for name, amount in amounts:
        append(
            engine.connection,
            [(f"counter-{name}", added(amount))],
            expected={f"counter-{name}": ANY_VERSION},
        )


@pytest.fixture
def parked(engine: Engine) -> Engine:
    """A read model that passes over `counter-lamp` from position 2 on."""
    ensure_generation(engine.pool, totals)
    write(engine, ("radio", 1), ("lamp", 13), ("lamp", 1), ("radio", 1))
    catch_up(engine.connection, Parker().subscription_of(totals, 1))
    return engine


def see(engine: Engine, position: int) -> Freshness:
    return wait_for(engine.connection, totals, position, seconds=60)


def test_what_is_parked_is_counted_with_since_when(parked: Engine) -> None:
    [entry] = find_parked(parked.connection)

    assert see(parked, 0).parked == {"totals": (1, entry.since)}


def test_a_new_generation_passes_over_nothing(parked: Engine) -> None:
    """Whatever was parked for one of its number that somebody dropped by hand."""
    parked.connection.execute("DROP SCHEMA readmodels CASCADE")
    parked.connection.execute("DELETE FROM generations")
    parked.connection.execute("DELETE FROM subscriptions")
    ensure_generation(parked.pool, totals)

    assert see(parked, 0).parked == {}


@pytest.mark.parametrize(("position", "behind"), [(1, 0), (2, 1), (3, 2), (4, 0)])
def test_an_event_that_is_passed_over_is_never_there(
    parked: Engine, position: int, behind: int
) -> None:
    seen = see(parked, position)
    passed = None if seen.passed_over is None else seen.passed_over[:2]

    assert (seen.reached, seen.behind) == (4, behind)
    assert passed == (("counter-lamp", 2) if behind else None)


def test_an_event_that_will_be_passed_over_is_not_waited_for(
    parked: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("eventstore.projections.freshness.time.sleep", waits.append)
    write(parked, ("lamp", 1))
    seen = see(parked, 5)

    assert (seen.reached, seen.behind, waits) == (4, 4, [])


def test_what_was_dropped_is_old_still_and_counted_no_more(parked: Engine) -> None:
    drop_parked(parked.connection, "totals", None)

    assert see(parked, 0).parked == {"totals": (0, None)}
    assert see(parked, 2).behind == 1

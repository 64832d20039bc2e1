"""What a snapshot can be made of, and what makes another fingerprint."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from eventstore.aggregates.decider import Decider
from eventstore.errors.unreadable import UnkeepableState
from tests.support.engine import COUNTERS, Counter
from tests.support.snapshots import WiderCounter

CLOCK = "counter-clock"
(COUNTER,) = COUNTERS.all


@dataclass(frozen=True, slots=True)
class Labelled:
    label: str = ""
    share: float = 0.0


def labels() -> Decider:
    return replace(COUNTER, initial=Labelled())


@pytest.mark.parametrize(
    "state",
    [Labelled("\0"), Labelled("\ud800"), Labelled(share=float("inf")), Labelled(b"x")],  # type: ignore[arg-type]
    ids=["NUL", "half a character", "infinite", "another type"],
)
def test_a_state_that_would_not_come_back_is_not_kept(state: Labelled) -> None:
    with pytest.raises(UnkeepableState):
        labels().snapshots.encode(CLOCK, 1, state)


FINGERPRINT = COUNTER.snapshots.fingerprint


@pytest.mark.parametrize(
    "changed",
    [
        {"category": "meter"},
        {"initial": WiderCounter()},
        {"initial": Counter(1)},
        {"snapshot_version": 2},
    ],
    ids=["category", "shape", "first state", "snapshot version"],
)
def test_what_a_state_depends_on_makes_another_fingerprint(
    changed: dict[str, Any],
) -> None:
    assert replace(COUNTER, **changed).snapshots.fingerprint != FINGERPRINT


def test_what_decides_makes_no_other_fingerprint() -> None:
    changed = replace(COUNTER, decide=lambda *_: [])

    assert changed.snapshots.fingerprint == FINGERPRINT

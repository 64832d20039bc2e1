"""The schedule of a fault run: what a seed makes, and what may overlap."""

from collections import Counter
from contextlib import nullcontext

from tests.faults.kinds import Kind
from tests.faults.plan import plan

MINUTE = 60.0


def kind(name: str, victim: str, lasting: tuple[float, float] = (0.0, 0.0)) -> Kind:
    return Kind(
        name=name,
        victim=victim,
        lasting=lasting,
        strike=lambda desk, chance: nullcontext(""),
    )


KINDS = {
    made.name: made
    for made in (
        kind("kill a worker", "worker"),
        kind("stop a worker", "worker", (1.0, 3.0)),
        kind("freeze Redis", "broker", (2.0, 4.0)),
        kind("flush Redis", "broker"),
        kind("crash PostgreSQL", "database"),
    )
}


def test_the_same_seed_makes_the_same_schedule() -> None:
    assert plan(7, MINUTE, 3.0, KINDS) == plan(7, MINUTE, 3.0, KINDS)
    assert plan(7, MINUTE, 3.0, KINDS) != plan(8, MINUTE, 3.0, KINDS)


def test_each_kind_strikes_once_before_one_comes_again() -> None:
    struck = Counter(
        planned.kind for planned in plan(7, MINUTE, 3.0, KINDS)[: 2 * len(KINDS)]
    )

    assert struck == dict.fromkeys(KINDS, 2)


def test_what_lasts_overlaps_with_the_next_but_never_on_the_same_victim() -> None:
    ends: dict[str, float] = {}
    overlaps = 0
    for planned in plan(7, 10 * MINUTE, 1.0, KINDS):
        victim = KINDS[planned.kind].victim
        assert planned.at >= ends.get(victim, 0.0)
        overlaps += any(end > planned.at for end in ends.values())
        ends[victim] = round(planned.at + planned.lasting, 2)

    assert overlaps > 10


def test_without_kinds_nothing_is_planned() -> None:
    assert plan(7, MINUTE, 3.0, {}) == []

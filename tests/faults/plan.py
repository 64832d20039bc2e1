"""When which fault strikes: made from a seed, so the same seed makes the same plan."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.faults.kinds import Kind

FIRST = 1.5
"""Seconds before the first fault, in which the load gets going."""


class PlannedFault(NamedTuple):
    """A fault to come; times are in seconds, *at* since the load began."""

    at: float
    kind: str
    lasting: float
    seed: int
    """Of the chance by which it chooses its victim."""

    def __str__(self) -> str:
        lasting = f" for {self.lasting:.1f} s" if self.lasting else ""
        return f"{self.at:7.2f} s  {self.kind}{lasting}"


def plan(
    seed: int, seconds: float, every: float, kinds: Mapping[str, Kind]
) -> Sequence[PlannedFault]:
    """
    Return the faults of a run of so many seconds, *every* so often on the average.

    All kinds are struck once before one comes again. Those that last may overlap with
    the ones that follow, unless both have the same victim.
    """
    chance = random.Random(seed)
    names = in_turns(chance, sorted(kinds))
    busy_until: dict[str, float] = {}
    faults = []
    at = FIRST
    while at < seconds and kinds:
        name = next(names)
        kind = kinds[name]
        at = round(max(at, busy_until.get(kind.victim, 0.0)), 2)
        lasting = round(chance.uniform(*kind.lasting), 2)
        busy_until[kind.victim] = round(at + lasting, 2)
        faults.append(PlannedFault(at, name, lasting, chance.getrandbits(32)))
        at += chance.uniform(0.4, 1.6) * every
    return faults


def in_turns(chance: random.Random, names: Sequence[str]) -> Iterator[str]:
    """Yield the names for ever, each of them once a turn."""
    while True:
        yield from chance.sample(names, len(names))

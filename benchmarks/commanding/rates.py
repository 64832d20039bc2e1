"""Rates measured in turns, and the processor time they used."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

from benchmarks.commanding.cpu import Used
from benchmarks.peers.table import Ratio, in_pairs, turns


@dataclass
class Rates:
    """A second, by way; each way has its turn in each round."""

    by_way: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    used: dict[str, Used] = field(default_factory=lambda: defaultdict(Used))
    count: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, way: str, count: int, used: Used) -> None:
        self.by_way[way].append(count / used.seconds)
        self.used[way] += used
        self.count[way] += count

    def show(self) -> None:
        for way, rates in self.by_way.items():
            used = self.used[way].per(self.count[way])
            print(f"  {way:34} {median(rates):7,.0f} a second   {used}")

    def ratio(
        self, ours: str, theirs: str, least: float | None = None, label: str = ""
    ) -> Ratio:
        pairs = in_pairs(self.by_way[ours], self.by_way[theirs])
        return Ratio(label or f"{ours} / {theirs}", pairs, least)


Way = Callable[[], Used]
"""It runs its commands and returns what that used, and in which time."""


def in_turns(ways: Mapping[str, Way], rounds: int, count: int) -> Rates:
    """Let each way run *count* in each round, and another one be the first."""
    rates = Rates()
    names = list(ways)
    for number in range(rounds):
        for place in turns(len(names), number):
            rates.add(names[place], count, ways[names[place]]())
    return rates

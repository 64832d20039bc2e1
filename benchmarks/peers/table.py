"""Medians, ratios, and whether each target is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

Samples = Sequence[float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """What ours is of theirs, pair by pair; with *least* or *most* it is a target."""

    label: str
    values: Samples
    least: float | None = None
    most: float | None = None
    excuse: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def is_reached(self) -> bool:
        above = self.least is None or self.value >= self.least
        return above and (self.most is None or self.value <= self.most)

    @property
    def is_target(self) -> bool:
        return self.least is not None or self.most is not None

    @property
    def spread(self) -> str:
        """The middle half of the pairs, without outliers caused by other programs."""
        cuts = quantiles(self.values, method="inclusive") if self.values[1:] else None
        low, _, high = cuts or [self.value] * 3
        return f"{low:5.2f} to {high:.2f}"

    def __str__(self) -> str:
        line = f"{self.label:61} {self.value:6.2f}  ({self.spread:13})"
        if not self.is_target:
            return line
        sign, limit = ("≥", self.least) if self.most is None else ("≤", self.most)
        if self.is_reached:
            verdict = "reached"
        elif self.excuse:
            verdict = self.excuse
        else:
            verdict = "NOT REACHED"
        return f"{line}  {sign} {limit:<4g} {verdict}"


def in_pairs(ours: Samples, theirs: Samples) -> list[float]:
    """Return the ratios of measurements in the same round."""
    return [a / b for a, b in zip(ours, theirs, strict=True)]


def print_ratios(ratios: Sequence[Ratio]) -> None:
    print("\nratio: median of the pairs (and their middle half), target")
    for ratio in ratios:
        print(f"  {ratio}")


def turns(count: int, round_number: int) -> list[int]:
    """Return the order of turns; it rotates, so that none is always last."""
    order = list(range(count))
    shift = round_number // 2 % count
    rotated = order[shift:] + order[:shift]
    return rotated if round_number % 2 == 0 else rotated[::-1]

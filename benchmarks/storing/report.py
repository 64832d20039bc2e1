"""Figures, each with the load of the machine beside it."""

import os
from collections.abc import Sequence
from statistics import median

from benchmarks.loading.figures import percentile


def say(what: str, figure: str) -> None:
    """Print a figure with the load of the last minute: other work makes it worse."""
    print(f"{what:46} {figure:58} load {os.getloadavg()[0]:5.1f}", flush=True)


def say_times(what: str, turns: Sequence[Sequence[float]], tail: float = 95) -> None:
    """Print p50 and another percentile of seconds, as medians of the turns."""
    some = [turn for turn in turns if turn]
    if not some:
        say(what, "none")
        return
    middle = [1000 * percentile(turn, 50) for turn in some]
    late = [1000 * percentile(turn, tail) for turn in some]
    say(
        what,
        f"p50 {median(middle):7.2f}  p{tail:g} {median(late):8.2f}"
        f" ({min(late):.1f} to {max(late):.1f}) ms of {sum(map(len, some)):,}",
    )


def say_rates(what: str, rates: Sequence[float], unit: str) -> None:
    """Print the median of the rates of the turns, and the least and the most."""
    say(
        what,
        f"{median(rates):10,.0f} {unit} ({min(rates):,.0f} to {max(rates):,.0f})",
    )

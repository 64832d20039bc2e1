"""Percentiles, and how they are written down."""

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that *percent* of all do not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)
    return ordered[max(int(place) - 1, 0)]


def in_milliseconds(seconds: Sequence[float]) -> str:
    """Return p50, p95, p99 and the longest, as a line says them."""
    if not seconds:
        return "none"
    parts = [
        f"{name} {1000 * percentile(seconds, percent):.0f}"
        for name, percent in (("p50", 50), ("p95", 95), ("p99", 99), ("max", 100))
    ]
    return f"{', '.join(parts)} ms of {len(seconds):,}"

"""What a run tells at its end, as a table of text."""

import statistics
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from tests.faults.answers import Attempt
from tests.faults.checker import Verdict
from tests.faults.injector import Struck

EFFECTS = """
SELECT accepted_at, extract(epoch FROM finished_at - accepted_at)::float
FROM commands
WHERE finished_at IS NOT NULL AND not_before IS NULL
ORDER BY accepted_at
"""
AROUND = timedelta(seconds=0.5)
"""What was accepted so shortly before or after a fault counts as met by it."""


class Effect(NamedTuple):
    """When a command was accepted, and after how many seconds it was final."""

    accepted_at: datetime
    seconds: float


def read_effects(engine: sa.Engine) -> list[Effect]:
    with engine.connect() as connection:
        return [Effect(*row) for row in connection.execute(sa.text(EFFECTS))]


def of_accepting(attempts: Iterable[Attempt]) -> Iterator[str]:
    """Yield how many were promised, singly and in batches, and how long that took."""
    keys: dict[str, bool] = {}
    seconds = []
    answers: Counter[str] = Counter()
    for attempt in attempts:
        if attempt.takes_back:
            continue
        answers[str(attempt.status or attempt.problem)] += 1
        if attempt.status == 202:
            keys[attempt.key] = attempt.batch
            if not attempt.batch:
                assert attempt.answered_at is not None
                seconds.append(attempt.answered_at - attempt.sent_at)
    batched = sum(keys.values())
    yield (
        f"accepted: {len(keys):,}, of them {len(keys) - batched:,} one by one and"
        f" {batched:,} in batches"
    )
    yield f"one by one, answered with 202: {quantiles(seconds)}"
    yield "answers: " + ", ".join(f"{n:,} {what}" for what, n in answers.most_common())


def of_faults(
    struck: Sequence[Struck], missed: Sequence[str], effects: Sequence[Effect]
) -> Iterator[str]:
    """
    Yield a line for each kind of fault: how often, and what commands met it.

    *missed* names the kinds of those that found nothing to strike.
    """
    if not struck and not missed:
        return
    misses = Counter(missed)
    by_kind: dict[str, list[Struck]] = {kind: [] for kind in misses}
    for fault in struck:
        by_kind.setdefault(fault.kind, []).append(fault)
    yield (
        f"{'fault':28} {'missed':>6} {'struck':>6} {'at work':>7} {'under way':>9}"
        f"   accepted to final, around it"
    )
    for kind, faults in sorted(by_kind.items()):
        met = [e.seconds for fault in faults for e in around(fault, effects)]
        at_work = sum(fault.under_way > 0 for fault in faults)
        middle = statistics.median([fault.under_way for fault in faults] or [0])
        yield (
            f"{kind:28} {misses[kind]:6} {len(faults):6} {at_work:7} {middle:9.0f}"
            f"   {quantiles(met)}"
        )
    at_work = sum(fault.under_way > 0 for fault in struck)
    kinds = f"{sum(map(bool, by_kind.values()))} kinds"
    yield f"{kinds:28} {len(missed):6} {len(struck):6} {at_work:7}"


def around(fault: Struck, effects: Sequence[Effect]) -> Iterator[Effect]:
    end = fault.begun + timedelta(seconds=fault.lasting) + AROUND
    begin = bisect_left(effects, (fault.begun - AROUND, 0.0))
    for effect in effects[begin:]:
        if effect.accepted_at > end:
            break
        yield effect


def of_verdict(verdict: Verdict) -> Iterator[str]:
    """Yield how commands ended, and each invariant with how much was looked at."""
    ends = ", ".join(f"{n:,} {status}" for status, n in verdict.outcomes.most_common())
    yield f"final: {ends}"
    for invariant, count in verdict.checked.items():
        cases = verdict.broken.get(invariant, [])
        found = f"BROKEN {len(cases):,} times: {cases[:3]}" if cases else "holds"
        yield f"  {invariant}: {found} ({count:,} looked at)"
    for invariant in verdict.broken.keys() - verdict.checked.keys():
        cases = verdict.broken[invariant]
        yield f"  {invariant}: BROKEN {len(cases):,} times: {cases[:3]}"


def quantiles(seconds: Sequence[float]) -> str:
    """Return the middle, the 99th percentile and the most, as a text."""
    if not seconds:
        return "none"
    ordered = sorted(seconds)
    p50, p99 = (ordered[int(len(ordered) * q)] for q in (0.5, 0.99))
    return f"p50 {p50:.3f} s, p99 {p99:.3f} s, most {ordered[-1]:.2f} s"

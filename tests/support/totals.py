"""The smallest read model of the counters: what each of them comes to."""

from dataclasses import dataclass

from eventstore.projections.projection import Fact, Index, LookedUp, Projection
from tests.support.engine import Added


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    counter: str
    total: int


def counter_of(fact: Fact, looked_up: LookedUp) -> str:
    return fact.subject


def total(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total:
    if fact.event.amount == 13:
        raise ValueError("thirteen")
    before = 0 if row is None else row.total
    return Total(counter=fact.subject, total=before + fact.event.amount)


totals = Projection(
    name="totals",
    row=Total,
    key="counter",
    events=[Added],
    key_of=counter_of,
    fold=total,
    indexes=[Index(name="total", on="total, counter")],
)

"""Read models of counters for tests of shared passes, and a reader of one round."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from eventstore.log.append import NO_STREAM, append
from eventstore.projections.generations import ensure_generation
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import (
    Fact,
    LookedUp,
    Lookup,
    Projection,
    Update,
)
from eventstore.subscriptions.reader import Reader
from eventstore.subscriptions.shared_pass import SharedPass
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import Added, Engine, added


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a counter counts, and its group, which a look-up has."""

    counter: str
    total: int
    group: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    counter: str
    number: int


def counter_of(fact: Fact, looked_up: LookedUp) -> str:
    return fact.subject


def total(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total | None:
    before = Total(counter=fact.subject, total=0, group=None) if row is None else row
    group: Group | None = looked_up["groups"]
    number = before.group if group is None else group.number
    after = before.total + int(fact.event.amount)
    return replace(before, total=after, group=number) if after % 7 else None


def moved(fact: Fact) -> Update | None:
    """Return the change by which a group gets another number."""
    amount = fact.event.amount
    if amount % 10:
        return None
    return Update(where={"group": amount // 10 % 3}, to={"group": amount % 3})


def projection_called(name: str, **changes: Any) -> Projection:
    wanted: dict[str, Any] = {
        "row": Total,
        "key": "counter",
        "events": [Added],
        "key_of": counter_of,
        "fold": total,
        "update": moved,
        "needs": lambda fact: {"groups": fact.subject[:1]},
        "lookups": [
            Lookup(
                name="groups",
                row=Group,
                key="counter",
                key_of=lambda fact: fact.subject if len(fact.subject) == 1 else None,
                fold=lambda _, fact: Group(
                    counter=fact.subject, number=fact.event.amount % 3
                ),
            )
        ],
        **changes,
    }
    return Projection(name=name, **wanted)


def plain(name: str, fold: Any) -> Projection:
    return projection_called(
        name,
        fold=fold,
        lookups=[],
        needs=lambda _: {},
        update=lambda _: None,
    )


def folded(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total:
    before = 0 if row is None else row.total
    return Total(counter=fact.subject, total=before + fact.event.amount, group=None)


def fail_at_13(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total:
    if fact.event.amount == 13:
        raise ValueError("thirteen")
    return folded(row, fact, looked_up)


def made(engine: Engine, *projections: Projection) -> list[Subscription]:
    for projection in projections:
        ensure_generation(engine.pool, projection)
    return [subscription_of(projection, 1) for projection in projections]


def rows(engine: Engine, name: str) -> list[tuple[Any, ...]]:
    return engine.connection.execute(
        f"SELECT * FROM readmodels.{name} ORDER BY counter"
    ).fetchall()


def write(engine: Engine, *amounts: tuple[str, int]) -> None:
    append(
        engine.connection,
        [(f"counter-{name}", added(amount)) for name, amount in amounts],
        expected=dict.fromkeys((f"counter-{n}" for n, _ in amounts), NO_STREAM),
    )


def checkpoints(engine: Engine) -> dict[str, int]:
    query = "SELECT name, checkpoint FROM subscriptions"
    return dict(engine.connection.execute(query).fetchall())


def read(engine: Engine, subscriptions: Sequence[Subscription]) -> SharedPass:
    """Do one round as a runner does that begins and ends with it."""
    reader = Reader(engine.connection)
    reader.begin(subscriptions)
    done = reader.read(subscriptions)
    reader.end()
    return done

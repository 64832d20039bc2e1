"""Runtimes for tests: read models of counters, and a process manager that follows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import psycopg

from eventstore.projections.projection import Fact, LookedUp, Projection
from eventstore.runtime.runtime import Runtime
from eventstore.runtime.waking import send
from eventstore.subscriptions.lag import SubscriptionLag
from eventstore.subscriptions.process_manager import ProcessManager
from tests.support.engine import (
    COUNTERS,
    SECRET,
    Add,
    Added,
    Engine,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    counter: str
    total: int = 0


def fold(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total:
    before = Total(counter=fact.subject) if row is None else row
    return replace(before, total=before.total + fact.event.amount)


def fail_at_13(row: Total | None, fact: Fact, looked_up: LookedUp) -> Total:
    if fact.event.amount == 13:
        raise ValueError("thirteen")
    return fold(row, fact, looked_up)


def totals(name: str = "totals", fold: Any = fold, version: int = 1) -> Projection:
    return Projection(
        name=name,
        row=Total,
        key="counter",
        events=[Added],
        key_of=lambda fact, _: str(fact.subject),
        fold=fold,
        version=version,
    )


def follow(stream_id: str, event: Added) -> Iterable[Add]:
    """Count what is added to the clock on the lamp, too."""
    if stream_id == "counter-clock":
        yield Add(counter_id="lamp", amount=event.amount)


FOLLOWER = ProcessManager(name="follower", events=[Added], react=follow)


def url_of(engine: Engine) -> str:
    return engine.url.replace("+psycopg", "")


def runtime_on(engine: Engine, *projections: Projection, **options: Any) -> Runtime:
    return Runtime(url_of(engine), COUNTERS, projections, **options)


def send_one(connection: psycopg.Connection[Any], command: Any, **options: Any) -> None:
    send(
        connection,
        command,
        deciders=COUNTERS,
        principal="alice",
        key=str(uuid4()),
        secret=SECRET,
        **options,
    )


def rows(engine: Engine, name: str = "totals") -> dict[str, int]:
    found = engine.connection.execute(f"SELECT counter, total FROM readmodels.{name}")
    return dict(found.fetchall())


def statuses(engine: Engine) -> list[tuple[str, str]]:
    return engine.connection.execute(
        "SELECT type, status FROM commands ORDER BY seq"
    ).fetchall()


def lag_of(runtime: Runtime, name: str) -> SubscriptionLag:
    return next(lag for lag in runtime.lags() if lag.name == name)

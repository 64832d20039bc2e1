"""Who cannot be read with the others is read alone, and is told for what it was."""

from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest

from eventstore.projections.projection import Fact, LookedUp, Projection, Update
from eventstore.subscriptions.process_manager import (
    ProcessManager,
    ProcessManagerRun,
    begin_acting,
)
from eventstore.subscriptions.reader import Reader
from eventstore.subscriptions.shared_pass import read_together
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import COUNTERS, SECRET, Added, Engine
from tests.support.shared_passes import (
    checkpoints,
    fail_at_13,
    folded,
    made,
    plain,
    read,
    rows,
    write,
)


def kind_of_error(engine: Engine, name: str) -> Any:
    row = engine.connection.execute(
        "SELECT error ->> 'kind' FROM subscriptions WHERE name = %s", (name,)
    ).fetchone()
    return row and row[0]


def test_a_lock_that_is_not_free_is_no_end_of_a_process(engine: Engine) -> None:
    """An index is made on its table: the others go on, and it later."""
    subscriptions = made(engine, plain("locked", folded), plain("good", folded))
    write(engine, ("lamp", 5))
    engine.connection.execute("SET lock_timeout = '100ms'")
    other = engine.connect(autocommit=False)
    other.execute("LOCK TABLE readmodels.locked_g1 IN SHARE MODE")
    done = read(engine, subscriptions)

    assert isinstance(done.error, psycopg.errors.LockNotAvailable)
    assert checkpoints(engine) == {"locked_g1": 0, "good_g1": 1}
    assert kind_of_error(engine, "locked_g1") == "database"

    other.rollback()
    engine.connection.execute(
        "UPDATE subscriptions SET next_try_at = '-infinity' WHERE name = 'locked_g1'"
    )
    read(engine, subscriptions)
    assert rows(engine, "locked") == [("lamp", 5, None)]


def test_who_works_in_no_steps_does_not_run_ahead_of_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.subscriptions.reader.MAX_PASSES_AHEAD", 1)
    seen: list[int] = []
    write(engine, *[("lamp", 1)] * 700)
    read(engine, [by_hand(engine, seen), *made(engine, plain("good", folded))])

    assert checkpoints(engine) == {"hand": 500, "good_g1": 500}
    assert seen == list(range(1, 501))


def test_who_is_read_alone_waits_until_the_others_are_at_the_end(
    engine: Engine,
) -> None:
    """Ten passes at most: there may be no end."""
    seen: list[int] = []
    subscriptions = [by_hand(engine, seen), *made(engine, plain("good", folded))]
    write(engine, *[("lamp", 1)] * 700)
    read(engine, subscriptions)
    assert checkpoints(engine) == {"hand": 0, "good_g1": 500}

    read(engine, subscriptions)
    assert checkpoints(engine) == {"hand": 700, "good_g1": 700}
    assert seen == list(range(1, 701))


def by_hand(engine: Engine, seen: list[int]) -> Subscription:
    """Return a subscription that works in no steps, and notes what it got."""
    engine.connection.execute("INSERT INTO subscriptions (name) VALUES ('hand')")
    return Subscription(
        name="hand",
        types=["Added"],
        handler=lambda _, events: seen.extend(event.position for event in events),
    )


def test_a_brief_reading_leaves_to_others_what_is_read_alone(engine: Engine) -> None:
    subscriptions = made(engine, plain("bad", fail_at_13), plain("good", folded))
    write(engine, ("lamp", 13))
    reader = Reader(engine.connection)
    reader.begin(subscriptions)
    done = reader.read(subscriptions, is_brief=True)

    assert done.error is not None
    assert reader.has_more(subscriptions, "catch_up")
    assert checkpoints(engine) == {"bad_g1": 0, "good_g1": 0}


def test_a_process_manager_may_be_called_like_a_generation(engine: Engine) -> None:
    process = ProcessManager(name="mail_g1", events=[Added], react=lambda *_: ())
    begin_acting(engine.connection, process)
    subscription = ProcessManagerRun(process, COUNTERS, SECRET).subscription
    write(engine, ("lamp", 1))

    assert read(engine, [subscription]).handled == {"process:mail_g1": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedCounter:
    counter: str
    tag: str
    count: int


def tagged(row: TaggedCounter | None, fact: Fact, looked_up: LookedUp) -> TaggedCounter:
    return row or TaggedCounter(counter=fact.subject, tag="3", count=0)


def projection_with(update: Update) -> Projection:
    return Projection(
        name="tagged",
        row=TaggedCounter,
        key="counter",
        events=[Added],
        key_of=lambda fact, _: str(fact.subject),
        fold=tagged,
        update=lambda fact: update if fact.event.amount == 100 else None,
    )


GOOD = Update(where={"tag": "3"}, to={"tag": "4"})


@pytest.mark.parametrize(
    "wrong",
    [
        replace(GOOD, where={"tag": 3}),
        replace(GOOD, where={"count": "3"}),
        replace(GOOD, where={"count": True}),
        replace(GOOD, to={"tag": 4}),
        replace(GOOD, to={"count": 1.5}),
        replace(GOOD, to={"tag": None}),
        replace(GOOD, to={"counter": "radio"}),
    ],
)
def test_an_update_has_values_of_the_types_of_its_columns(
    wrong: Update, engine: Engine
) -> None:
    """SQL would convert them, and the rows would depend on what a batch has loaded."""
    [subscription] = made(engine, projection_with(wrong))
    write(engine, ("lamp", 1), ("lamp", 100))
    done = read_together(engine.connection, [subscription])

    assert done.error is not None
    assert "an update" in str(done.error)


def test_an_update_with_such_values_is_taken(engine: Engine) -> None:
    [subscription] = made(engine, projection_with(GOOD))
    write(engine, ("lamp", 1), ("lamp", 100))

    assert read_together(engine.connection, [subscription]).error is None
    assert rows(engine, "tagged") == [("lamp", "4", 0)]


def test_who_is_alone_and_is_killed_from_outside_is_not_the_cause(
    engine: Engine,
) -> None:
    """A program with one read model is stopped by -9: it had done nothing."""
    subscriptions = made(engine, plain("good", folded))
    write(engine, ("lamp", 1))
    engine.connection.execute("INSERT INTO passes (pid, names) VALUES (0, '{good_g1}')")
    reader = Reader(engine.connection)
    reader.begin(subscriptions)
    noted = checkpoints(engine), kind_of_error(engine, "good_g1")
    reader.read(subscriptions)

    assert noted == ({"good_g1": 0}, None)
    assert checkpoints(engine) == {"good_g1": 1}


def test_a_cause_that_cannot_be_noted_is_suspected_again(engine: Engine) -> None:
    """Somebody holds its row at that moment: it must not be read with the others."""
    subscriptions = made(engine, plain("killer", folded), plain("good", folded))
    engine.connection.execute(
        "INSERT INTO passes (pid, names, is_trial) VALUES (0, '{killer_g1}', true)"
    )
    other = engine.connect(autocommit=False)
    other.execute("SELECT FROM subscriptions WHERE name = 'killer_g1' FOR UPDATE")
    reader = Reader(engine.connection)
    reader.begin(subscriptions)
    other.rollback()

    assert reader.suspects == {"killer_g1"}

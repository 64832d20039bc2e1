"""Pruning: what finished long ago goes, and nothing that rests on it breaks."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from eventstore.errors import KeyReused
from eventstore.journal.operator_actions import abandon, cancel
from eventstore.journal.pruning import count_prunable, find_pruned_before, prune
from eventstore.verifying.finding import Finding
from eventstore.verifying.journal import find_wrong_commands, find_wrong_events
from tests.support.engine import FULL, Add, Divide, Engine
from tests.support.tampering import tampering

CLOCK = "counter-clock"
TOMORROW = datetime.now(UTC) + timedelta(days=1)

add = Add(counter_id="clock")


def now(engine: Engine) -> datetime:
    ((moment,),) = engine.connection.execute("SELECT clock_timestamp()").fetchall()
    assert isinstance(moment, datetime)
    return moment


def prune_all(engine: Engine, before: datetime | None = None, batch: int = 1000) -> int:
    return sum(prune(engine.connection, before or now(engine), by="olga", batch=batch))


def is_there(engine: Engine, command_id: UUID) -> bool:
    rows = engine.connection.execute(
        "SELECT FROM commands WHERE id = %s", (command_id,)
    )
    return rows.rowcount == 1


def findings_of(engine: Engine) -> list[Finding]:
    """Return what the checks of log and journal find."""
    return [
        *find_wrong_events(engine.connection, lambda _: None, is_journaled=True),
        *find_wrong_commands(engine.connection, lambda _: None),
    ]


def event_ids(engine: Engine) -> list[str]:
    return [
        msgspec.json.decode(event.metadata)["event_id"]
        for event in engine.stream(CLOCK)
    ]


def test_what_is_finished_goes_and_what_is_not_stays(engine: Engine) -> None:
    done = engine.accept(add)
    refused = engine.accept(Add(counter_id="clock", amount=FULL))
    failed, given_up = (engine.accept(Divide(counter_id="clock")) for _ in range(2))
    taken_back = engine.accept(add, not_before=TOMORROW)
    scheduled = engine.accept(add, not_before=TOMORROW)
    engine.drain(done)
    abandon(engine.connection, given_up, by="olga", because="x")
    cancel(engine.connection, taken_back, by="olga")
    waiting = engine.accept(add)

    before = now(engine)
    assert count_prunable(engine.connection, before) == {
        "abandoned": 1,
        "cancelled": 1,
        "rejected": 1,
        "succeeded": 1,
    }
    assert prune_all(engine, before, batch=2) == 4
    gone = (done, refused, given_up, taken_back)
    assert [is_there(engine, i) for i in gone] == [False] * 4
    kept = (failed, scheduled, waiting)
    assert [is_there(engine, i) for i in kept] == [True] * 3
    assert [engine.incidents(i) for i in gone] == [[]] * 4
    assert len(engine.incidents(failed)) == 1


def test_what_finished_later_stays(engine: Engine) -> None:
    first = engine.accept(add)
    second = engine.accept(Add(counter_id="lamp"))
    engine.drain(first)
    before = now(engine)
    engine.drain(second)

    assert prune_all(engine, before) == 1
    assert is_there(engine, second)


def test_up_to_when_it_went_is_kept_with_who(engine: Engine) -> None:
    assert find_pruned_before(engine.connection) is None
    engine.drain(engine.accept(add))
    before = now(engine)
    prune_all(engine, before)
    prune_all(engine, before - timedelta(days=1))
    rows = engine.connection.execute(
        "SELECT acted_by, count FROM prunings ORDER BY id"
    ).fetchall()

    assert find_pruned_before(engine.connection) == before
    assert rows == [("olga", 1), ("olga", 0)]


def test_a_time_to_come_prunes_up_to_now(engine: Engine) -> None:
    prune_all(engine, TOMORROW)
    pruned = find_pruned_before(engine.connection)

    assert pruned is not None
    assert pruned < TOMORROW


def test_the_same_key_is_a_new_command_afterwards(engine: Engine) -> None:
    first = engine.accept(add, key="first")
    engine.drain(first)
    with pytest.raises(KeyReused):
        engine.accept(Add(counter_id="clock", amount=7), key="first")
    prune_all(engine)
    again = engine.accept(Add(counter_id="clock", amount=7), key="first")
    engine.drain(again)

    assert again == first
    assert engine.amounts(CLOCK) == [1, 7]


def test_its_events_have_ids_of_their_own(engine: Engine) -> None:
    """Whatever is computed from them, like the commands that follow, is another too."""
    for _ in range(3):
        engine.drain(engine.accept(add, key="first"))
        prune_all(engine)
    engine.drain(engine.accept(add, key="first"))

    assert engine.amounts(CLOCK) == [1] * 4
    assert len(set(event_ids(engine))) == 4


def test_an_event_whose_command_was_pruned_is_no_finding(engine: Engine) -> None:
    engine.drain(engine.accept(add))
    prune_all(engine)
    engine.drain(engine.accept(add))

    assert findings_of(engine) == []


def test_an_event_of_after_the_pruning_without_its_command_is_one(
    engine: Engine,
) -> None:
    prune_all(engine)
    command_id = engine.accept(add)
    engine.drain(command_id)
    engine.connection.execute("DELETE FROM commands WHERE id = %s", (command_id,))
    findings = findings_of(engine)

    assert [f.what for f in findings] == ["its command is not in the journal"]


def test_an_event_that_says_not_when_it_was_recorded_is_not_excused(
    engine: Engine,
) -> None:
    command_id = engine.accept(add)
    engine.drain(command_id)
    prune_all(engine)
    with tampering(engine.connection):
        engine.connection.execute(
            "UPDATE events SET metadata = metadata - 'recorded_at'"
        )
        findings = findings_of(engine)

    assert [f.command_id for f in findings] == [str(command_id)]


def test_pruning_goes_on_where_it_was_stopped(engine: Engine) -> None:
    for n in range(5):
        engine.drain(engine.accept(Add(counter_id=f"c{n}")))
    before = now(engine)
    stopped = prune(engine.connection, before, by="olga", batch=2)
    next(stopped)
    del stopped

    assert findings_of(engine) == []
    assert prune_all(engine, before) == 3

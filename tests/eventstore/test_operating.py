"""What operators do with a command that failed, and where they see what it caused."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from eventstore.errors import BadCursor
from eventstore.journal import listing
from eventstore.journal.effects import find_effects
from eventstore.journal.listing import CommandFilter, find_entries
from eventstore.journal.operator_actions import ActionResult, abandon, retry
from eventstore.journal.runner import Limits
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent
from tests.support.engine import Add, Added, Divide, Engine, at_once, counters
from tests.support.journal import kinds

CLOCK = "counter-clock"

add = Add(counter_id="clock")


@pytest.fixture
def failed(engine: Engine) -> UUID:
    """A command that failed by a bug, and one behind it that succeeded."""
    command_id = engine.accept(Divide(counter_id="clock"))
    engine.accept(Add(counter_id="clock", amount=7))
    engine.drain(command_id)
    assert engine.statuses(command_id) == ["failed"]
    return command_id


def corrected() -> Any:
    """Return deciders without the bug."""
    return counters(lambda counter, command, **_: [Added(amount=1)])


def retried(engine: Engine, command_id: UUID) -> ActionResult | None:
    return retry(engine.connection, command_id, by="olga", because="corrected")


def abandoned(engine: Engine, command_id: UUID) -> ActionResult | None:
    return abandon(engine.connection, command_id, by="olga", because="not needed")


def test_a_failed_command_is_tried_again(engine: Engine, failed: UUID) -> None:
    assert retried(engine, failed) == (True, "accepted")
    entry = engine.entry(failed)
    engine.drain(failed, deciders=corrected())

    assert (entry.error, entry.finished_at, entry.started_at) == (None, None, None)
    assert engine.statuses(failed) == ["succeeded"]
    assert engine.amounts(CLOCK) == [7, 1]


def test_its_history_is_kept_with_who_and_why(engine: Engine, failed: UUID) -> None:
    retried(engine, failed)
    engine.drain(failed)
    abandoned(engine, failed)

    assert kinds(engine, failed) == ["error", "retried", "error", "abandoned"]
    assert engine.entry(failed).attempts == 2
    assert [engine.incidents(failed)[n].detail for n in (1, 3)] == [
        {"by": "olga", "because": "corrected"},
        {"by": "olga", "because": "not needed"},
    ]


def test_what_was_abandoned_stays_so(engine: Engine, failed: UUID) -> None:
    assert abandoned(engine, failed) == (True, "abandoned")
    assert retried(engine, failed) == (False, "abandoned")
    assert abandoned(engine, failed) == (False, "abandoned")
    engine.drain(failed)

    assert engine.statuses(failed) == ["abandoned"]
    assert engine.entry(failed).error is not None


def test_only_what_failed_is_decided_about(engine: Engine) -> None:
    waiting, done = engine.accept(add), engine.accept(Add(counter_id="lamp"))
    engine.drain(done)

    assert retried(engine, waiting) == (False, "accepted")
    assert abandoned(engine, waiting) == (False, "accepted")
    assert retried(engine, done) == (False, "succeeded")
    assert retried(engine, uuid4()) is None
    assert kinds(engine, waiting) == kinds(engine, done) == []


def test_of_several_operators_at_once_one_decides(engine: Engine, failed: UUID) -> None:
    def one(act: Any) -> Any:
        return lambda c: act(c, failed, by="olga", because="at once").was_done

    done = at_once(engine, *[one(act) for act in (retry, abandon) * 4])

    assert sorted(done) == [False] * 7 + [True]
    assert len(kinds(engine, failed)) == 2


def test_one_that_killed_its_runners_gets_as_many_attempts_again(
    engine: Engine,
) -> None:
    killer = engine.accept(add)
    for _ in range(3):
        engine.take_and_die(killer)
    engine.drain(killer, limits=Limits(deaths=3))
    assert engine.statuses(killer) == ["failed"]
    retried(engine, killer)
    for _ in range(2):
        engine.take_and_die(killer)
    engine.drain(killer, limits=Limits(deaths=3))

    assert engine.statuses(killer) == ["succeeded"]


def caused(command_id: UUID, cause: UUID, event_id: UUID, amount: int) -> NewEvent:
    return NewEvent(
        type="Added",
        data=f'{{"amount": {amount}}}',
        metadata=Metadata(
            event_id=event_id,
            correlation_id=command_id,
            causation_id=cause,
            schema="1.0",
            actor="process:x",
        ),
    )


def test_what_a_command_caused_is_told_as_a_tree(engine: Engine) -> None:
    """Its event, the command that followed from that, and what this one caused."""
    command_id, event_id, later = engine.accept(add), uuid4(), uuid4()
    append(
        engine.connection,
        [(CLOCK, caused(command_id, command_id, event_id, 1))],
        expected={CLOCK: 0},
    )
    follow_up = engine.accept(Add(counter_id="lamp"), principal="process:x")
    engine.connection.execute(
        """
        UPDATE commands
        SET metadata = metadata || jsonb_build_object('causation_id', %s::text)
        WHERE id = %s
        """,
        (event_id, follow_up),
    )
    append(
        engine.connection,
        [("counter-lamp", caused(command_id, follow_up, later, 2))],
        expected={"counter-lamp": 0},
    )

    told = [
        (type(what).__name__, what.stream_id, depth)
        for what, depth in find_effects(engine.connection, command_id)
    ]
    assert told == [
        ("RecordedEvent", CLOCK, 0),
        ("FollowUp", "counter-lamp", 1),
        ("RecordedEvent", "counter-lamp", 2),
    ]
    assert len(find_effects(engine.connection, command_id, limit=1)) == 1
    of_the_event = find_effects(engine.connection, event_id)
    assert [depth for _, depth in of_the_event] == [0, 1]


def test_a_message_that_names_itself_as_its_cause_ends_the_tree(
    engine: Engine,
) -> None:
    command_id = engine.accept(add)
    engine.connection.execute(
        """
        UPDATE commands
        SET metadata = metadata || jsonb_build_object('causation_id', id::text)
        """
    )

    assert find_effects(engine.connection, command_id) == []


def test_commands_that_name_each_other_as_their_cause_end_the_tree(
    engine: Engine,
) -> None:
    one, other = engine.accept(add), engine.accept(Add(counter_id="lamp"))
    for command_id, cause in ((one, other), (other, one)):
        engine.connection.execute(
            """
            UPDATE commands
            SET metadata = metadata || jsonb_build_object('causation_id', %s::text)
            WHERE id = %s
            """,
            (cause, command_id),
        )

    found = find_effects(engine.connection, one)
    assert [(effect.message.stream_id, effect.depth) for effect in found] == [
        ("counter-lamp", 0),
        (CLOCK, 1),
    ]


def listed(engine: Engine, limit: int = 100, **wanted: Any) -> list[UUID]:
    """Return the ids of what is wanted, all pages of it."""
    ids: list[UUID] = []
    after = None
    with engine.pool.connect() as connection:
        while True:
            page = find_entries(
                connection, CommandFilter(**wanted), after=after, limit=limit
            )
            ids += [entry.id for entry in page.entries]
            after = page.following
            if after is None:
                return ids


def test_commands_are_listed_the_newest_first(engine: Engine) -> None:
    ids = [engine.accept(Add(counter_id=f"c{n}")) for n in range(7)]
    engine.drain(ids[3])

    assert listed(engine) == ids[::-1]
    assert listed(engine, limit=2) == ids[::-1]
    assert listed(engine, status="accepted", limit=2) == [
        i for i in ids[::-1] if i != ids[3]
    ]
    assert listed(engine, stream_id="counter-c3") == [ids[3]]
    assert listed(engine, type="Divide") == []


def test_a_rare_kind_is_found_over_several_pages(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SPAN", 2)
    first, *others = [engine.accept(Add(counter_id=f"c{n}")) for n in range(8)]
    engine.drain(first)

    assert listed(engine, status="succeeded") == [first]
    assert listed(engine, limit=3) == [*others[::-1], first]


def test_a_list_of_an_empty_journal_is_empty(engine: Engine) -> None:
    assert listed(engine) == listed(engine, status="scheduled") == []


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "WyJhY2NlcHRlZCIsMF0", "7" * 99])
def test_what_is_no_cursor_is_refused(engine: Engine, cursor: str) -> None:
    with engine.pool.connect() as connection, pytest.raises(BadCursor):
        find_entries(connection, CommandFilter(status="failed"), after=cursor, limit=1)

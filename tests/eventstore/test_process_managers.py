"""Process managers: each event is acted on once, whatever happens around it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg
import pytest

from eventstore.errors import InternalCommand, KeyReused
from eventstore.errors.unreadable import UnknownCommandType
from eventstore.journal.accept import accept
from eventstore.journal.operator_actions import tell_abandoned
from eventstore.log.append import append
from eventstore.subscriptions.catch_up import CaughtUp, catch_up
from eventstore.subscriptions.process_manager import (
    DueAt,
    ProcessManager,
    ProcessManagerRun,
    begin_acting,
    due_after,
    never_deployed,
)
from tests.support.engine import (
    COUNTERS,
    SECRET,
    Add,
    Added,
    CounterFull,
    Divide,
    Engine,
    added,
    at_once,
)

FORGET_ACTED = "UPDATE process_managers SET acted_up_to = 0, event_id = NULL"

React = Callable[[str, Any], Iterable[Any]]


def follow(stream_id: str, event: Added) -> Iterable[Add]:
    """Count what is added to the clock on another counter, too."""
    if stream_id == "counter-clock":
        yield Add(counter_id="lamp", amount=event.amount)


@dataclass
class Follower:
    """A process manager of counters, and what it has sent."""

    engine: Engine
    react: React = follow
    due_at: DueAt | None = None
    acts_for_sender: bool = False
    sent: list[UUID] = field(default_factory=list)

    @property
    def process(self) -> ProcessManager:
        return ProcessManager(
            name="follower",
            events=[Added],
            react=self.react,
            due_at=self.due_at,
            acts_for_sender=self.acts_for_sender,
        )

    def catch_up(self, connection: psycopg.Connection[Any] | None = None) -> CaughtUp:
        acting = ProcessManagerRun(self.process, COUNTERS, SECRET, self.sent)
        subscription = replace(acting.subscription, batch=3)
        return catch_up(connection or self.engine.connection, subscription)

    def commands(self) -> list[tuple[str, int, str]]:
        """Return stream, amount and principal of all commands, in order."""
        return self.engine.connection.execute(
            """
            SELECT stream_id, (data ->> 'amount')::int, principal
            FROM commands ORDER BY seq
            """
        ).fetchall()

    def amounts(self) -> list[int]:
        return [amount for _, amount, _ in self.commands()]

    def set_back(self, checkpoint: int = 0) -> None:
        """Set its checkpoint back, as only an operator can, who takes it away."""
        self.engine.connection.execute("DELETE FROM subscriptions")
        self.engine.connection.execute(
            """
            INSERT INTO subscriptions (name, checkpoint, event_id)
            VALUES (%s, %s, event_id_at(%s))
            """,
            ("process:follower", checkpoint, checkpoint),
        )


@pytest.fixture
def follower(engine: Engine) -> Follower:
    follower = Follower(engine)
    begin_acting(engine.connection, follower.process)
    return follower


def test_what_happens_is_followed_by_commands(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, 7, expected=0)
    engine.append("counter-other", 9, expected=0)
    follower.catch_up()

    assert follower.commands() == [
        ("counter-lamp", 5, "process:follower"),
        ("counter-lamp", 7, "process:follower"),
    ]


def test_its_commands_are_drained_as_others_are(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, 7, expected=0)
    follower.catch_up()
    engine.drain(follower.sent[0])

    assert engine.amounts("counter-lamp") == [5, 7]
    assert engine.statuses(*follower.sent) == ["succeeded", "succeeded"]


def test_what_follows_tells_what_it_follows(follower: Follower, engine: Engine) -> None:
    first = engine.accept(Add(counter_id="clock", amount=5))
    engine.drain(first)
    follower.catch_up()
    engine.drain(follower.sent[0])

    (cause,) = engine.stream("counter-clock")
    (effect,) = engine.stream("counter-lamp")
    metadata = msgspec.json.decode(effect.metadata)
    ((sent,),) = engine.connection.execute(
        "SELECT metadata FROM commands WHERE id = %s", (follower.sent[0],)
    ).fetchall()
    assert metadata["correlation_id"] == str(first)
    assert metadata["causation_id"] == str(follower.sent[0])
    assert metadata["actor"] == "process:follower"
    assert sent == {
        "correlation_id": str(first),
        "causation_id": msgspec.json.decode(cause.metadata)["event_id"],
        "actor": "process:follower",
    }


@pytest.mark.parametrize(
    ("acts_for_sender", "actor"), [(False, "process:follower"), (True, "alice")]
)
def test_its_commands_are_its_own_or_those_of_whom_it_acts_for(
    follower: Follower, engine: Engine, acts_for_sender: bool, actor: str
) -> None:
    follower.acts_for_sender = acts_for_sender
    engine.drain(engine.accept(Add(counter_id="clock", amount=5)))
    follower.catch_up()
    sent = engine.connection.execute(
        "SELECT principal, metadata ->> 'actor' FROM commands WHERE stream_id = %s",
        ("counter-lamp",),
    )

    # The right to be sent is the process's, whoever it is done for.
    assert sent.fetchall() == [("process:follower", actor)]


def test_it_begins_with_what_comes_after_it_was_deployed(engine: Engine) -> None:
    engine.append("counter-clock", 5, expected=0)
    follower = Follower(engine)
    begin_acting(engine.connection, follower.process)
    engine.append("counter-clock", 7, expected=1)
    follower.catch_up()

    assert follower.amounts() == [7]


def test_it_hears_of_what_was_under_way_when_it_was_deployed(engine: Engine) -> None:
    writer = engine.connect()
    follower = Follower(engine)
    with writer.transaction():
        append(writer, [("counter-clock", added(5))], expected={"counter-clock": 0})
        engine.append("counter-other", 1, expected=0)
        begin_acting(engine.connection, follower.process)
    follower.catch_up()

    assert follower.amounts() == [5]


def test_deploying_it_again_skips_nothing(follower: Follower, engine: Engine) -> None:
    engine.append("counter-clock", 5, expected=0)
    begin_acting(engine.connection, follower.process)
    engine.connection.execute("DELETE FROM subscriptions")
    engine.append("counter-clock", 7, expected=1)
    begin_acting(engine.connection, follower.process)
    follower.catch_up()

    assert follower.amounts() == [5, 7]


def test_one_that_was_never_deployed_is_found_and_sends_nothing(
    engine: Engine,
) -> None:
    follower = Follower(engine)
    engine.append("counter-clock", 5, expected=0)
    follower.set_back()

    assert follower.catch_up().stopped_at == 1
    assert never_deployed(engine.connection, [follower.process]) == ["follower"]
    assert follower.commands() == []
    begin_acting(engine.connection, follower.process)
    assert never_deployed(engine.connection, [follower.process]) == []


def test_one_whose_checkpoint_was_taken_away_is_found_and_deployed_again(
    follower: Follower, engine: Engine
) -> None:
    engine.connection.execute("DELETE FROM subscriptions")
    engine.append("counter-clock", 5, expected=0)

    assert never_deployed(engine.connection, [follower.process]) == ["follower"]
    begin_acting(engine.connection, follower.process)
    assert never_deployed(engine.connection, [follower.process]) == []
    follower.catch_up()
    assert follower.amounts() == [5]


def test_an_event_that_was_imported_is_passed_over(
    follower: Follower, engine: Engine
) -> None:
    event = added(5)
    imported = replace(
        event, metadata=msgspec.structs.replace(event.metadata, source="years ago")
    )
    append(
        engine.connection,
        [("counter-clock", imported)],
        expected={"counter-clock": 0},
    )
    engine.append("counter-clock", 7, expected=1)
    follower.catch_up()

    assert follower.amounts() == [7]


def test_no_event_is_acted_on_twice_when_the_checkpoint_is_set_back(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", *range(1, 9), expected=0)
    follower.catch_up()
    follower.set_back()
    engine.append("counter-clock", 9, expected=8)
    reached = follower.catch_up()

    assert reached.checkpoint == 9
    assert follower.amounts() == [*range(1, 10)]


def test_no_event_is_acted_on_twice_when_the_code_has_changed(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, expected=0)
    engine.append("counter-other", 6, expected=0)
    follower.catch_up()
    # It would send others now, more of them, and for an event that had none.
    follower.react = lambda stream_id, event: [
        Add(counter_id="vase", amount=event.amount * 10),
        Add(counter_id="lamp", amount=event.amount),
    ]
    follower.set_back()
    follower.catch_up()
    engine.append("counter-clock", 7, expected=1)
    follower.catch_up()

    assert follower.amounts() == [5, 70, 7]


def test_no_event_is_acted_on_twice_when_its_commands_were_pruned(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, expected=0)
    follower.catch_up()
    engine.connection.execute("DELETE FROM commands")
    follower.set_back()
    follower.catch_up()

    assert follower.commands() == []


def test_two_that_catch_up_at_once_act_once(follower: Follower, engine: Engine) -> None:
    engine.append("counter-clock", *range(1, 30), expected=0)
    at_once(engine, *[follower.catch_up] * 4)
    follower.catch_up()

    assert sorted(follower.amounts()) == [*range(1, 30)]


def test_another_command_under_the_same_id_is_an_error_and_is_not_dropped(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, 7, expected=0)
    follower.catch_up()
    # Without what remembers up to where it has acted: the journal is the second guard.
    engine.connection.execute(FORGET_ACTED)
    follower.react = lambda _, event: [Add(counter_id="vase", amount=event.amount)]
    follower.set_back()
    reached = follower.catch_up()

    assert reached.stopped_at == 1
    ((told,),) = engine.connection.execute(
        "SELECT error ->> 'error' FROM subscriptions"
    ).fetchall()
    assert str(KeyReused(follower.sent[0])) in told


def test_the_same_commands_again_are_those_of_the_first_time(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, 7, expected=0)
    follower.catch_up()
    engine.connection.execute(FORGET_ACTED)
    follower.set_back()
    reached = follower.catch_up()

    assert reached == CaughtUp(checkpoint=2, handled=2)
    assert follower.amounts() == [5, 7]


def test_an_event_that_it_cannot_take_stops_it_there_and_is_taken_later(
    follower: Follower, engine: Engine
) -> None:
    def fails_at_six(stream_id: str, event: Added) -> Iterable[Add]:
        if event.amount == 6:
            raise ZeroDivisionError("half a clock")
        return follow(stream_id, event)

    follower.react = fails_at_six
    engine.append("counter-clock", *range(1, 9), expected=0)
    stopped = follower.catch_up()
    assert (stopped.stopped_at, follower.amounts()) == (6, [1, 2, 3, 4, 5])

    follower.react = follow
    assert follower.catch_up().stopped_at is None
    assert follower.amounts() == [*range(1, 9)]


def test_its_commands_become_due_after_a_delay(
    follower: Follower, engine: Engine
) -> None:
    follower.due_at = due_after(timedelta(days=14))
    engine.append("counter-clock", 5, expected=0)
    follower.catch_up()
    ((command_id, due),) = engine.connection.execute(
        "SELECT id, not_before FROM commands"
    ).fetchall()
    engine.drain(command_id)

    (event,) = engine.stream("counter-clock")
    assert due == event.occurred_at + timedelta(days=14)
    assert engine.amounts("counter-lamp") == []


def test_the_event_may_say_when_its_commands_become_due(
    follower: Follower, engine: Engine
) -> None:
    follower.due_at = lambda event, at: at + timedelta(days=event.amount)
    engine.append("counter-clock", 5, 7, expected=0)
    follower.catch_up()

    due = engine.connection.execute("SELECT not_before FROM commands ORDER BY seq")
    five, seven = engine.stream("counter-clock")
    assert due.fetchall() == [
        (five.occurred_at + timedelta(days=5),),
        (seven.occurred_at + timedelta(days=7),),
    ]


@pytest.mark.parametrize(("days_ago", "told"), [(0, 0), (13, 0), (15, 1)])
def test_nobody_is_told_of_what_cannot_be_run_yet(
    follower: Follower, engine: Engine, days_ago: int, told: int
) -> None:
    follower.due_at = due_after(timedelta(days=14))
    moment = datetime.now(UTC) - timedelta(days=days_ago)
    events = [("counter-clock", added(5, occurred_at=moment))]
    append(engine.connection, events, expected={"counter-clock": 0})
    follower.catch_up()

    assert len(follower.commands()) == 1
    assert len(follower.sent) == told


def test_a_rolled_back_batch_has_sent_nothing(
    follower: Follower, engine: Engine
) -> None:
    engine.append("counter-clock", 5, expected=0)
    acting = ProcessManagerRun(follower.process, COUNTERS, SECRET)
    with engine.connection.transaction(force_rollback=True):
        acting.act(engine.connection, engine.stream("counter-clock"))

    assert follower.commands() == []
    follower.catch_up()
    assert follower.amounts() == [5]


INTERNAL = replace(
    COUNTERS.all[0],
    internal=[Divide, Add],
    abandoned=lambda command: (
        Add(counter_id="given-up") if isinstance(command, Divide) else refuse()
    ),
)


def refuse() -> None:
    raise CounterFull(7)


def test_a_client_cannot_send_what_process_managers_send(engine: Engine) -> None:
    with pytest.raises(InternalCommand, match="Divide"):
        accept(
            engine.connection,
            Divide(counter_id="clock"),
            decider=INTERNAL,
            principal="alice",
            key="1",
            secret=SECRET,
        )


def tell(engine: Engine, command_id: UUID, *, internal: bool = True) -> UUID | None:
    deciders = replace(COUNTERS, all=[INTERNAL]) if internal else COUNTERS
    return tell_abandoned(
        engine.connection, command_id, deciders=deciders, secret=SECRET
    )


def test_who_waits_for_a_command_is_told_once_that_it_was_given_up(
    engine: Engine,
) -> None:
    step = engine.accept(Divide(counter_id="clock"))
    told = tell(engine, step)

    assert told is not None
    assert tell(engine, step) == told
    entry = engine.entry(told)
    assert (entry.stream_id, entry.principal) == (
        "counter-given-up",
        "process:abandoning",
    )
    ((metadata,),) = engine.connection.execute(
        "SELECT metadata FROM commands WHERE id = %s", (told,)
    ).fetchall()
    assert metadata["causation_id"] == metadata["correlation_id"] == str(step)


def test_a_command_that_must_not_be_given_up_says_so(engine: Engine) -> None:
    with pytest.raises(CounterFull):
        tell(engine, engine.accept(Add(counter_id="clock")))


def test_nobody_is_told_of_a_clients_command(engine: Engine) -> None:
    assert tell(engine, engine.accept(Add(counter_id="c")), internal=False) is None


def test_a_command_of_a_newer_version_cannot_be_given_up(engine: Engine) -> None:
    command_id = engine.accept(Add(counter_id="clock"))
    engine.connection.execute("UPDATE commands SET type = 'Multiply'")

    with pytest.raises(UnknownCommandType, match="Multiply"):
        tell(engine, command_id)


def test_its_name_is_plain() -> None:
    with pytest.raises(ValueError, match="Fancy"):
        ProcessManager(name="Fancy one", events=[Added], react=follow)

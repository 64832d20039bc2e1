"""A preview says what a command would cause, as its run does, and writes nothing."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from eventstore.access.senders import Sender
from eventstore.aggregates.decider import Deciders
from eventstore.connection import one_moment
from eventstore.encryption.keys import MasterKeys
from eventstore.errors import InternalCommand, VersionsMissing
from eventstore.errors.unstorable import BadStreamId
from eventstore.journal.preview import CommandPreview, preview_command
from eventstore.journal.runner import Runner
from eventstore.log.append import append
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring
from tests.support.claims import UniqueNames
from tests.support.engine import (
    COUNTERS,
    FULL,
    Add,
    AddIfZero,
    Counter,
    Divide,
    Engine,
    meanwhile,
)
from tests.support.members import UNIQUE_MEMBERS, Join, Member, Rename
from tests.support.round_trips import count_round_trips
from tests.support.snapshots import keep_snapshot, row_of
from tests.support.unwritten import contents

CLOCK = "counter-clock"
ALICE = Sender("alice", ["clerk"])
MASTERS = MasterKeys(b"0123456789abcdef" * 2)

add = Add(counter_id="clock", amount=7, note="seven")


def preview(
    engine: Engine,
    command: Any,
    *,
    deciders: Deciders = COUNTERS,
    sender: Sender = ALICE,
    **asked: Any,
) -> CommandPreview:
    """Preview a command in a moment in which nothing can be written."""
    runner = Runner(deciders=deciders, name="preview", may=asked.pop("may", None))
    connection = engine.connection
    with connection.pipeline(), one_moment(connection):
        return preview_command(connection, command, runner, sender, **asked)


@pytest.mark.parametrize(
    "command",
    [
        add,
        Add(counter_id="clock", amount=0),
        Add(counter_id="clock", amount=FULL),
        AddIfZero(counter_id="lamp", other="none"),
        AddIfZero(counter_id="lamp", other="clock"),
        Divide(counter_id="clock"),
    ],
    ids=["succeeds", "does nothing", "is rejected", "reads", "reads, no", "fails"],
)
def test_it_is_what_the_run_answers(engine: Engine, command: Any) -> None:
    engine.append(CLOCK, 1, 2, expected=0)
    stream_id = f"counter-{command.counter_id}"
    before = engine.stream(stream_id)
    found = preview(engine, command)

    command_id = engine.accept(command)
    engine.drain(command_id)
    entry = engine.entry(command_id)
    caused = engine.stream(stream_id)[len(before) :]
    told = dict(found.outcome.error or {})
    written = dict(entry.error or {})
    # It names lines of this code: those of the way to the decision differ.
    told.pop("traceback", None)
    written.pop("traceback", None)
    assert (found.outcome.status, told) == (entry.status, written)
    assert found.version == len(before)
    assert [
        (
            one.recorded.type,
            one.recorded.version,
            msgspec.json.decode(one.recorded.data),
        )
        for one in found.events
    ] == [(one.type, one.version, msgspec.json.decode(one.data)) for one in caused]


def told_by(events: Iterable[RecordedEvent]) -> list[tuple[Any, ...]]:
    return [(e.type, e.version, msgspec.json.decode(e.data)) for e in events]


def test_it_has_the_states_before_and_after(engine: Engine) -> None:
    engine.append(CLOCK, 5, expected=0)
    found = preview(engine, add)

    assert (found.before, found.after) == (Counter(5), Counter(12))
    assert (found.stream_id, found.version, found.gets_number) == (CLOCK, 1, False)


def test_an_old_expected_version_is_told(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, expected=0)

    assert preview(engine, add, expected_version=2).outcome.status == "succeeded"
    error = preview(engine, add, expected_version=1).outcome.error
    assert error is not None
    assert (error["rule"], error["figures"]) == (
        "StaleVersion",
        {"expected": 1, "actual": 2},
    )


@pytest.fixture
def numbers(engine: Engine) -> Engine:
    """The engine with the sequence of a counter's numbers."""
    engine.connection.execute("CREATE SEQUENCE counter_numbers")
    return engine


def test_a_number_is_not_drawn(numbers: Engine) -> None:
    engine = numbers
    found = preview(engine, Add(amount=3))

    assert (found.stream_id, found.gets_number, found.version) == (
        "counter-0",
        True,
        0,
    )
    assert found.after == Counter(3)
    # The next one draws the first.
    first = engine.entry(engine.accept(Add())).stream_id
    assert engine.entry(engine.accept(Add())).stream_id != first
    before = contents(engine.connection)
    preview(engine, Add())
    assert contents(engine.connection) == before


def test_it_counts_what_has_its_turn_before(engine: Engine) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    for not_before in (None, None, later):
        engine.accept(add, not_before=not_before)
    engine.accept(Add(counter_id="lamp"))
    assert preview(engine, add).waiting == 2

    engine.connection.execute(
        "UPDATE commands SET not_before = now() WHERE not_before IS NOT NULL"
    )
    assert preview(engine, add).waiting == 3


def test_a_sender_who_may_not_is_told_so(engine: Engine) -> None:
    def may(command_type: str, sender: Sender) -> bool:
        return (command_type, sender.roles) == ("Add", ["clerk"])

    guest = Sender("eve", ["guest"])
    assert preview(engine, add, may=may).outcome.status == "succeeded"
    refused = preview(engine, add, sender=guest, may=may)
    assert refused.outcome.error == {
        "rule": "NotAllowed",
        "message": "eve may not send Add, or not any more.",
        "figures": {"user": "eve", "roles": ["guest"]},
    }
    # It is told before all else.
    both = preview(engine, add, sender=guest, may=may, expected_version=9)
    assert both.outcome == refused.outcome
    # Local programs and processes need no role.
    local = Sender("local", [])
    assert preview(engine, add, sender=local, may=may).outcome.status == "succeeded"


def test_a_value_that_is_claimed_is_told(engine: Engine) -> None:
    club = UniqueNames(engine)
    club.run(Join(member_id="1", name="Ann"))
    club.run(Join(member_id="2", name="Bob"))

    found = preview(engine, Rename(member_id="2", name="Ann"), deciders=UNIQUE_MEMBERS)
    assert found.outcome.error is not None
    assert found.outcome.error["rule"] == "NameTaken"
    assert found.after == found.before == Member(is_one=True, name="Bob")
    own = preview(engine, Rename(member_id="1", name="Ann"), deciders=UNIQUE_MEMBERS)
    assert own.outcome.status == "succeeded"


@pytest.fixture
def guarded() -> Deciders:
    """The club, with names encrypted."""
    return replace(UNIQUE_MEMBERS, masters=MASTERS)


def test_what_is_personal_is_in_the_clear_and_no_key_is_made(
    engine: Engine, guarded: Deciders
) -> None:
    before = contents(engine.connection)
    found = preview(engine, Join(member_id="1", name="Ann"), deciders=guarded)

    (event,) = found.events
    assert event.fact.name == "Ann"
    assert "Ann" in event.recorded.data
    assert contents(engine.connection) == before


def test_a_command_about_somebody_forgotten_could_not_be_read(
    engine: Engine, guarded: Deciders
) -> None:
    ring = Keyring(engine.connection, MASTERS)
    ring.own_key("member-1")
    append(engine.connection, [], expected={}, new_keys=ring.new_keys)
    append(engine.connection, [], expected={}, forgotten=["member-1"])
    found = preview(engine, Join(member_id="1", name="Ann"), deciders=guarded)

    assert found.outcome.error is not None
    assert found.outcome.error["rule"] == "SubjectForgotten"


def test_a_snapshot_that_cannot_be_used_stays_as_it_is(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, expected=0)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 2)
    engine.connection.execute("UPDATE snapshots SET state = '{\"total\": 900}'")
    before = row_of(engine.connection, CLOCK)

    assert preview(engine, add).before == Counter(3)
    assert row_of(engine.connection, CLOCK) == before
    # A run replaces it.
    engine.drain(engine.accept(add))
    assert row_of(engine.connection, CLOCK) != before


@pytest.mark.parametrize(
    "command",
    [add, Add(), Add(counter_id="clock", amount=FULL), Divide(counter_id="clock")],
    ids=["succeeds", "gets a number", "is rejected", "fails"],
)
def test_it_writes_nothing(numbers: Engine, command: Any) -> None:
    engine = numbers
    engine.append(CLOCK, 1, expected=0)
    engine.accept(add)
    runner = Runner(deciders=COUNTERS, name="preview")
    before = contents(engine.connection)
    preview(engine, command)
    # Nor where the database would let it.
    preview_command(engine.connection, command, runner, ALICE)

    assert contents(engine.connection) == before


def test_what_is_written_would_be_seen(numbers: Engine) -> None:
    """Else the tests before proved nothing."""
    engine = numbers
    engine.append(CLOCK, 1, expected=0)
    keep_snapshot(engine.connection, COUNTERS, CLOCK, 1)
    for statement in (
        "UPDATE snapshots SET ignored = ignored",
        "SELECT nextval('counter_numbers')",
    ):
        before = contents(engine.connection)
        engine.connection.execute(statement)

        assert contents(engine.connection) != before


def test_within_one_moment_the_database_refuses_to_write(numbers: Engine) -> None:
    for statement in ("DELETE FROM snapshots", "SELECT nextval('counter_numbers')"):
        with (
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
            one_moment(numbers.connection),
        ):
            numbers.connection.execute(statement)


def test_a_broken_connection_is_not_the_command_s_failure(engine: Engine) -> None:
    def lose(command: Any) -> None:
        raise psycopg.OperationalError("the connection is lost")

    with pytest.raises(psycopg.OperationalError, match="is lost"):
        preview(engine, add, deciders=meanwhile(lose))


def test_what_could_never_be_accepted_is_refused_like_there(engine: Engine) -> None:
    internal = Deciders([replace(COUNTERS.all[0], internal=[Add])])

    with pytest.raises(BadStreamId):
        preview(engine, Add(counter_id="clo\0ck"))
    with pytest.raises(InternalCommand):
        preview(engine, add, deciders=internal)


def test_a_stream_with_a_hole_is_not_decided_on(engine: Engine) -> None:
    engine.append(CLOCK, 1, 2, 3, expected=0)
    engine.connection.execute(
        """
        ALTER TABLE events DISABLE TRIGGER events_refuse_change;
        DELETE FROM events WHERE version = 2;
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change;
        """
    )
    with pytest.raises(VersionsMissing):
        preview(engine, add)


@pytest.mark.parametrize(
    ("command", "deciders", "round_trips"),
    [
        (add, COUNTERS, 1),
        (AddIfZero(counter_id="lamp", other="clock"), COUNTERS, 1),
        (Add(), COUNTERS, 0),
        (Join(member_id="1", name="Ann"), UNIQUE_MEMBERS, 2),
    ],
    ids=["one stream", "two streams", "no stream yet", "a claim"],
)
def test_it_takes_one_round_trip_and_another_for_claims(
    engine: Engine, command: Any, deciders: Deciders, round_trips: int
) -> None:
    engine.append(CLOCK, 1, expected=0)
    runner = Runner(deciders=deciders, name="preview")

    def work() -> None:
        with engine.connection.pipeline():
            preview_command(engine.connection, command, runner, ALICE)

    # Before, the driver asks for the types that it sends.
    work()
    # One more for the end of the pipeline.
    assert count_round_trips(engine.connection, work) == round_trips + 1

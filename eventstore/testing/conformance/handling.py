"""Handling a command: load the streams that it names, decide, append."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from eventstore.aggregates.decider import Deciders
from eventstore.claims import Change
from eventstore.errors import AlreadyClaimed, WrongExpectedVersion
from eventstore.log.events import Metadata
from eventstore.store import Store
from eventstore.testing.conformance.check import Check, Connect, expect_error
from eventstore.testing.conformance.jars import (
    BLUE,
    DECIDER,
    JARS,
    MAX_COUNT,
    RED,
    Jar,
    JarEvent,
    Name,
    NameJar,
    PutCoin,
    PutCoinIfEmpty,
    amounts_in,
    decide,
    put,
)

COMMAND_ID = UUID("00000000-0000-0000-0000-000000000007")


def status(store: Store, command: object, deciders: Deciders = JARS) -> str:
    return store.handle(command, deciders=deciders, actor="alice").status


@Check
def streams_are_loaded_to_their_states(connect: Connect) -> None:
    store = connect()
    put(store, RED, 1, 2)

    streams = store.load([RED, BLUE], JARS)
    assert streams.versions == {RED: 2, BLUE: 0}
    assert streams.states == {RED: Jar(total=3), BLUE: Jar()}


@Check
def a_command_takes_effect_in_its_stream(connect: Connect) -> None:
    store = connect()
    assert status(store, PutCoin(jar="red", amount=5)) == "succeeded"
    assert status(store, PutCoin(jar="red", amount=7)) == "succeeded"

    assert amounts_in(store, RED) == [5, 7]


@Check
def a_command_may_be_sent_to_a_stream_by_name(connect: Connect) -> None:
    store = connect()
    command = PutCoin(jar="red", amount=5)
    store.handle(command, deciders=JARS, actor="alice", stream_id=BLUE)

    assert (amounts_in(store, RED), amounts_in(store, BLUE)) == ([], [5])


@Check
def its_events_tell_whose_command_it_was(connect: Connect) -> None:
    store = connect()
    store.handle(
        PutCoin(jar="red", amount=5),
        deciders=JARS,
        actor="alice",
        command_id=COMMAND_ID,
    )

    (event,) = store.read_stream(RED)
    metadata = msgspec.json.decode(event.metadata, type=Metadata)
    assert (metadata.actor, metadata.schema) == ("alice", "1.0")
    assert metadata.causation_id == metadata.correlation_id == COMMAND_ID


@Check
def a_command_that_a_rule_refuses_writes_nothing(connect: Connect) -> None:
    store = connect()
    outcome = store.handle(
        PutCoin(jar="red", amount=MAX_COUNT + 1), deciders=JARS, actor="alice"
    )

    assert outcome.status == "rejected"
    assert outcome.error is not None
    assert outcome.error["rule"] == "JarFull"
    assert store.version(RED) == 0


@Check
def a_command_is_decided_on_the_streams_that_it_reads(connect: Connect) -> None:
    store = connect()
    command = PutCoinIfEmpty(jar="red", amount=1, other="blue")
    assert status(store, command) == "succeeded"
    put(store, BLUE, 1)

    assert status(store, command) == "rejected"
    assert amounts_in(store, RED) == [1]


@Check
def a_command_holds_only_on_what_it_was_decided_on(connect: Connect) -> None:
    command = PutCoinIfEmpty(jar="red", amount=1, other="blue")
    for written in (RED, BLUE):
        store = connect()
        before = store.version(RED)

        with expect_error(WrongExpectedVersion):
            status(store, command, meanwhile(partial(put, connect(), written, 0)))
        assert store.version(RED) == before + (written == RED)


def meanwhile(act: Callable[[], object]) -> Deciders:
    """Return deciders that *act* while they decide."""

    def decide_meanwhile(jar: Jar, command: Any, **others: Jar) -> Sequence[JarEvent]:
        act()
        return decide(jar, command, **others)

    return replace(JARS, all=[replace(DECIDER, decide=decide_meanwhile)])


@Check
def a_command_that_claims_what_is_anothers_is_rejected(connect: Connect) -> None:
    store = connect()
    assert status(store, NameJar(jar="red", name="Piggy")) == "succeeded"

    outcome = store.handle(
        NameJar(jar="blue", name="Piggy"), deciders=JARS, actor="alice"
    )
    assert outcome.error is not None
    assert (outcome.status, outcome.error["rule"]) == ("rejected", "NameTaken")
    assert store.version(BLUE) == 0

    # With another name it lets go of the first.
    assert status(store, NameJar(jar="red", name="Miss Piggy")) == "succeeded"
    assert status(store, NameJar(jar="blue", name="Piggy")) == "succeeded"


@Check
def what_a_command_claims_is_claimed_for_whoever_appends(connect: Connect) -> None:
    store = connect()
    status(store, NameJar(jar="red", name="Piggy"))

    claims = JARS.hashed([Change(Name("Piggy"))], BLUE)
    with expect_error(AlreadyClaimed):
        store.append([], expected={BLUE: 0}, claims=claims)

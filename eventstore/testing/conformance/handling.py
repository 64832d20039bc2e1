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
from eventstore.testing.conformance import jars
from eventstore.testing.conformance.check import Check, Connect, expect_error

COMMAND_ID = UUID("00000000-0000-0000-0000-000000000007")


def status(store: Store, command: object, deciders: Deciders = jars.JARS) -> str:
    return store.handle(command, deciders=deciders, actor="alice").status


@Check
def streams_are_loaded_to_their_states(connect: Connect) -> None:
    store = connect()
    jars.put(store, jars.RED, 1, 2)

    streams = store.load([jars.RED, jars.BLUE], jars.JARS)
    assert streams.versions == {jars.RED: 2, jars.BLUE: 0}
    assert streams.states == {jars.RED: jars.Jar(total=3), jars.BLUE: jars.Jar()}


@Check
def a_command_takes_effect_in_its_stream(connect: Connect) -> None:
    store = connect()
    assert status(store, jars.PutCoin(jar="red", amount=5)) == "succeeded"
    assert status(store, jars.PutCoin(jar="red", amount=7)) == "succeeded"

    assert jars.amounts_in(store, jars.RED) == [5, 7]


@Check
def a_command_may_be_sent_to_a_stream_by_name(connect: Connect) -> None:
    store = connect()
    command = jars.PutCoin(jar="red", amount=5)
    store.handle(command, deciders=jars.JARS, actor="alice", stream_id=jars.BLUE)

    assert (jars.amounts_in(store, jars.RED), jars.amounts_in(store, jars.BLUE)) == (
        [],
        [5],
    )


@Check
def its_events_tell_whose_command_it_was(connect: Connect) -> None:
    store = connect()
    store.handle(
        jars.PutCoin(jar="red", amount=5),
        deciders=jars.JARS,
        actor="alice",
        command_id=COMMAND_ID,
    )

    (event,) = store.read_stream(jars.RED)
    metadata = msgspec.json.decode(event.metadata, type=Metadata)
    assert (metadata.actor, metadata.schema) == ("alice", "1.0")
    assert metadata.causation_id == metadata.correlation_id == COMMAND_ID


@Check
def a_command_that_a_rule_refuses_writes_nothing(connect: Connect) -> None:
    store = connect()
    outcome = store.handle(
        jars.PutCoin(jar="red", amount=jars.MAX_COUNT + 1),
        deciders=jars.JARS,
        actor="alice",
    )

    assert outcome.status == "rejected"
    assert outcome.error is not None
    assert outcome.error["rule"] == "JarFull"
    assert store.version(jars.RED) == 0


@Check
def a_command_is_decided_on_the_streams_that_it_reads(connect: Connect) -> None:
    store = connect()
    command = jars.PutCoinIfEmpty(jar="red", amount=1, other="blue")
    assert status(store, command) == "succeeded"
    jars.put(store, jars.BLUE, 1)

    assert status(store, command) == "rejected"
    assert jars.amounts_in(store, jars.RED) == [1]


@Check
def a_command_holds_only_on_what_it_was_decided_on(connect: Connect) -> None:
    command = jars.PutCoinIfEmpty(jar="red", amount=1, other="blue")
    for written in (jars.RED, jars.BLUE):
        store = connect()
        before = store.version(jars.RED)

        with expect_error(WrongExpectedVersion):
            status(store, command, meanwhile(partial(jars.put, connect(), written, 0)))
        assert store.version(jars.RED) == before + (written == jars.RED)


def meanwhile(act: Callable[[], object]) -> Deciders:
    """Return deciders that *act* while they decide."""

    def decide_meanwhile(
        jar: jars.Jar, command: Any, **others: jars.Jar
    ) -> Sequence[jars.JarEvent]:
        act()
        return jars.decide(jar, command, **others)

    return replace(jars.JARS, all=[replace(jars.DECIDER, decide=decide_meanwhile)])


@Check
def a_command_that_claims_what_is_anothers_is_rejected(connect: Connect) -> None:
    store = connect()
    assert status(store, jars.NameJar(jar="red", name="Piggy")) == "succeeded"

    outcome = store.handle(
        jars.NameJar(jar="blue", name="Piggy"), deciders=jars.JARS, actor="alice"
    )
    assert outcome.error is not None
    assert (outcome.status, outcome.error["rule"]) == ("rejected", "NameTaken")
    assert store.version(jars.BLUE) == 0

    # With another name it lets go of the first.
    assert status(store, jars.NameJar(jar="red", name="Miss Piggy")) == "succeeded"
    assert status(store, jars.NameJar(jar="blue", name="Piggy")) == "succeeded"


@Check
def what_a_command_claims_is_claimed_for_whoever_appends(connect: Connect) -> None:
    store = connect()
    status(store, jars.NameJar(jar="red", name="Piggy"))

    claims = jars.JARS.hashed([Change(jars.Name("Piggy"))], jars.BLUE)
    with expect_error(AlreadyClaimed):
        store.append([], expected={jars.BLUE: 0}, claims=claims)

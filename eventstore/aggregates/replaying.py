"""Replaying: a stream's events one by one, and the state before and after each."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.errors import VersionsMissing
from eventstore.log.events import RecordedEvent
from eventstore.log.read import MAX_VERSION, read_stream
from eventstore.personal.keyring import Keyring

BATCH = 500
"""Events that are read with one statement."""


class Step(NamedTuple):
    """
    A stored event, its decoded form, and the state before and after it.

    If it could not be read, if `evolve` failed on it, or if the version before it is
    missing, *error* says so, and the state after it is the one before.
    """

    event: RecordedEvent
    facts: Sequence[Any]
    before: Any
    after: Any
    error: Exception | None = None


def replay_stream(
    connection: psycopg.Connection[Any],
    stream_id: str,
    deciders: Deciders,
    *,
    up_to: int = MAX_VERSION,
) -> Iterator[Step]:
    """
    Yield the steps of a stream from its first event, without a snapshot.

    The replay ends with a step that fails, since there is no state after it.
    """
    keyring = Keyring(connection, deciders.masters)
    events = read_in_batches(connection, stream_id, up_to)
    return replay(deciders.of_stream(stream_id), events, keyring)


def read_in_batches(
    connection: psycopg.Connection[Any], stream_id: str, up_to: int
) -> Iterator[RecordedEvent]:
    after = 0
    while batch := read_stream(
        connection, stream_id, after=after, up_to=up_to, limit=BATCH
    ):
        yield from batch
        after = batch[-1].version


def replay(
    decider: Decider, events: Iterable[RecordedEvent], keyring: Keyring
) -> Iterator[Step]:
    state = decider.initial
    for version, event in enumerate(events, start=1):
        if event.version != version:
            hole = VersionsMissing(event.stream_id, version, event.version - 1)
            yield Step(event, (), state, state, hole)
            return
        step = apply_step(decider, state, event, keyring)
        yield step
        if step.error is not None:
            return
        state = step.after


def apply_step(
    decider: Decider, state: Any, event: RecordedEvent, keyring: Keyring
) -> Step:
    """Return the step of *event* from *state*; it has any error of `evolve`."""
    facts: Sequence[Any] = ()
    after = state
    try:
        event = keyring.decrypt_event(event)
        facts = decider.events.read(event)
        for fact in facts:
            after = decider.evolve_at(after, fact, event.occurred_at)
    except psycopg.Error:
        # Not an error of the event: the database is away.
        raise
    except Exception as error:
        return Step(event, facts, state, state, error)
    return Step(event, facts, state, after)

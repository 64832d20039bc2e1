"""One command, from its class to its events, in six steps."""

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg

from eventstore.decider import Decider, Deciders
from eventstore.errors import told
from eventstore.ids import event_id_for
from eventstore.loading import Streams, load
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a command; a refusal has the rule and its figures."""

    status: str
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The events a command causes, the state after them, and what became of it."""

    outcome: Outcome
    state: Any
    events: Sequence[NewEvent] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What the metadata of a command's events are made of."""

    command_id: UUID
    correlation_id: UUID
    actor: str


def handle(
    connection: psycopg.Connection[Any],
    command: Any,
    *,
    stream_id: str,
    deciders: Deciders,
    actor: str,
    command_id: UUID | None = None,
) -> Outcome:
    """
    Handle one *command* at once, for those who use the engine without the journal.

    Raises WrongExpectedVersion where somebody else wrote to a stream that was read:
    nothing has happened then, and the caller may call again.
    """
    command_id = command_id or uuid4()
    cause = Cause(command_id=command_id, correlation_id=command_id, actor=actor)
    decider = deciders.of_stream(stream_id)

    # 1. Validate the input: not everything comes through a form.
    command = decider.read_command(type(command), msgspec.to_builtins(command))
    # 2. Load the aggregate, and what else the command names.
    others = decider.reads(command)
    streams = load(connection, [stream_id, *others.values()], deciders)
    # 3. Run the logic, and 4. check the rules.
    decision = decide(decider, command, stream_id, others, streams, cause)
    # 5. Persist, which is also how it is emitted: whatever follows reads the log.
    append(
        connection,
        [(stream_id, event) for event in decision.events],
        expected=streams.versions,
    )
    # 6. Say whether it worked, and nothing else.
    return decision.outcome


def decide(
    decider: Decider,
    command: Any,
    stream_id: str,
    others: Mapping[str, str],
    streams: Streams,
    cause: Cause,
) -> Decision:
    """
    Decide *command* on the state of its stream; a refusal is a decision too.

    *others* are the further streams that it reads, by the names its decider gave them.
    """
    state = streams.states[stream_id]
    read = {name: streams.states[other] for name, other in others.items()}
    try:
        facts = decider.decide(state, command, **read)
    except decider.rejection as rejection:
        return Decision(refused(rejection), state)
    for fact in facts:
        state = decider.evolve(state, fact)
    events = [
        new_event(decider, fact, index, cause) for index, fact in enumerate(facts)
    ]
    return Decision(Outcome(status="succeeded"), state, events)


def new_event(decider: Decider, fact: Any, index: int, cause: Cause) -> NewEvent:
    return NewEvent(
        type=type(fact).__name__,
        data=decider.events.encode(fact),
        metadata=Metadata(
            event_id=event_id_for(cause.command_id, index),
            correlation_id=cause.correlation_id,
            causation_id=cause.command_id,
            command_id=cause.command_id,
            schema=decider.events.schema_of(fact),
            actor=cause.actor,
        ),
    )


def refused(error: Exception) -> Outcome:
    """Return the outcome of a command that a rule says no to."""
    return Outcome(
        status="rejected",
        error={
            "rule": type(error).__name__,
            "message": told(error),
            "figures": {
                name: figure if isinstance(figure, int) else str(figure)
                for name, figure in getattr(error, "figures", {}).items()
            },
        },
    )


def broken(error: Exception) -> Outcome:
    """Return the outcome of a command whose handling has a bug."""
    return Outcome(
        status="failed",
        error={
            "error": type(error).__name__,
            "message": told(error),
            "traceback": "".join(traceback.format_tb(error.__traceback__)),
        },
    )

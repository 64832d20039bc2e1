"""One command, from its class to its events, in six steps."""

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
import psycopg

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.aggregates.loading import Streams, load
from eventstore.claims import Change
from eventstore.encryption.personal_fields import personal_fields
from eventstore.errors import AlreadyClaimed
from eventstore.errors.text import error_text
from eventstore.ids import event_id_for, origin_of
from eventstore.log.append import append
from eventstore.log.codec import schema_of
from eventstore.log.events import Metadata, NewEvent
from eventstore.log.limits import check_append
from eventstore.personal.keyring import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    The outcome of a command.

    *status* is the text `succeeded`, `rejected` or `failed`. *error* has fields by
    name: `message`, and for a rejection its `rule` (the class) and `figures`, for a
    failure its `error` (the class) and `traceback`. It is None for success.
    """

    status: str
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """
    The events a command causes, the state after them, and its outcome.

    *forgotten* are the subjects whose keys are destroyed with it; *claims* are the
    claims that it adds or releases.
    """

    outcome: Outcome
    state: Any
    events: Sequence[NewEvent] = ()
    forgotten: Sequence[str] = ()
    claims: Sequence[Change] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """
    The source of the metadata of a command's events.

    They name a command only if the journal has it: otherwise `verify` would report it.
    *pruning* is the last one before the command was accepted.
    """

    command_id: UUID
    correlation_id: UUID
    actor: str
    is_in_journal: bool = True
    pruning: int | None = None


def cause_of_direct(command_id: UUID | None, actor: str) -> Cause:
    """Return the cause for events of a command without the journal."""
    command_id = command_id or uuid4()
    return Cause(
        command_id=command_id,
        correlation_id=command_id,
        actor=actor,
        is_in_journal=False,
    )


@dataclass(frozen=True, slots=True)
class EventFactory:
    """
    Makes the events of one command from the facts that its decider returns.

    *keyring* has the keys that personal fields are encrypted with.
    """

    decider: Decider
    stream_id: str
    cause: Cause
    keyring: Keyring

    def new_event(self, fact: object, index: int) -> NewEvent:
        """Return the event of *fact*, the one at *index* of those of the command."""
        cause = self.cause
        event_id = event_id_for(origin_of(cause.command_id, cause.pruning), index)
        return NewEvent(
            type=type(fact).__name__,
            data=self.serialize(fact, event_id),
            metadata=Metadata(
                event_id=event_id,
                correlation_id=cause.correlation_id,
                causation_id=cause.command_id,
                command_id=cause.command_id if cause.is_in_journal else None,
                schema=schema_of(fact),
                actor=cause.actor,
            ),
        )

    def serialize(self, fact: object, event_id: UUID) -> str:
        """Return the JSON of an event, its personal fields encrypted."""
        data = self.decider.events.encode(fact)
        kind: type = type(fact)
        if not personal_fields(kind):
            return data
        subject = self.decider.subject(self.stream_id, fact)
        return self.keyring.encrypt(data, kind, subject, event_id)


class DirectLog(NamedTuple):
    """The functions that load and append, for handling without the journal."""

    keyring: Keyring
    load: Callable[..., Streams]
    append: Callable[..., object]


def handle(
    connection: psycopg.Connection[Any],
    command: Any,
    *,
    deciders: Deciders,
    actor: str,
    stream_id: str | None = None,
    command_id: UUID | None = None,
) -> Outcome:
    """
    Handle one *command* at once, for those who use the engine without the journal.

    Without *stream_id* it goes to the stream that the command itself names. Without
    *command_id* it gets a new one. A rejection is an outcome, not an error.

    Raises WrongExpectedVersion if another writer appended to a stream that was read,
    and KeyMadeElsewhere if another writer was the first to write about the same person:
    nothing has happened then, and the caller may call again. Raises an Unstorable error
    for events that cannot be stored, and ValueError for a command without a stream.
    """
    log = DirectLog(
        keyring=Keyring(connection, deciders.masters),
        load=partial(load, connection),
        append=partial(append, connection),
    )
    cause = cause_of_direct(command_id, actor)
    return handle_on(log, command, deciders, cause, stream_id)


def handle_on(
    log: DirectLog,
    command: Any,
    deciders: Deciders,
    cause: Cause,
    stream_id: str | None,
) -> Outcome:
    """Handle a *command* on a log; without *stream_id* on the stream that it names."""
    keyring, load, append = log
    stream_id = stream_id or addressee(command, deciders)
    decider = deciders.of_stream(stream_id)

    # 1. Validate the input: it may not come from a form.
    command = decider.read_command(type(command), msgspec.to_builtins(command))
    # 2. Load the aggregate, and what else the command names.
    others = decider.reads(command)
    streams = load([stream_id, *others.values()], deciders, keyring)
    # 3. Run the logic, and 4. check the rules.
    factory = EventFactory(decider, stream_id, cause, keyring)
    decision = decide(factory, command, others, streams)
    # 5. Persist; this also emits the events, since subscriptions read the log.
    claims = deciders.hashed(decision.claims, stream_id, cause.command_id)
    try:
        append(
            [(stream_id, event) for event in decision.events],
            expected=streams.versions,
            claims=claims,
            new_keys=keyring.new_keys,
            forgotten=decision.forgotten,
        )
    except AlreadyClaimed as refusal:
        taken = {(clash.scope, clash.keyed_hash) for clash in refusal.clashes}
        claimed = zip(decision.claims, claims, strict=True)
        return rejection_outcome(
            next(c.claim.taken() for c, h in claimed if h[:2] in taken)
        )
    # 6. Say whether it worked, and nothing else.
    return decision.outcome


def addressee(command: Any, deciders: Deciders) -> str:
    """Return the stream that a command is addressed to; raise ValueError if to none."""
    stream_id = deciders.of_command(type(command)).stream_of(command)
    if stream_id is None:
        raise ValueError(f"a {type(command).__name__} without a stream: name one")
    return stream_id


def decide(
    factory: EventFactory, command: Any, others: Mapping[str, str], streams: Streams
) -> Decision:
    """
    Decide *command* on the state of its stream; a refusal is a decision too.

    *factory* names the decider and the stream, and makes the events. *others* are the
    further streams that it reads, by the names its decider gave them.
    """
    decider, stream_id = factory.decider, factory.stream_id
    state = streams.states[stream_id]
    read = {name: streams.states[other] for name, other in others.items()}
    try:
        facts = decider.decide(state, command, **read)
    except decider.rejection as rejection:
        return Decision(rejection_outcome(rejection), state)
    after = state
    for fact in facts:
        after = decider.evolve(after, fact)
    events = [factory.new_event(fact, index) for index, fact in enumerate(facts)]
    forgotten = [
        decider.subject(stream_id, fact)
        for fact in facts
        if isinstance(fact, tuple(decider.forgets))
    ]
    # Here already, so that an error is this command's: the append is of many.
    check_append((), [(stream_id, event) for event in events])
    claims = decider.changes_of_claims(state, after) if decider.claims_something else ()
    return Decision(
        Outcome(status="succeeded"), after, events, forgotten=forgotten, claims=claims
    )


def rejection_outcome(error: Exception) -> Outcome:
    """Return the outcome of a command that a rule rejects."""
    return Outcome(
        status="rejected",
        error={
            "rule": type(error).__name__,
            "message": error_text(error),
            "figures": {
                name: figure if isinstance(figure, int) else str(figure)
                for name, figure in getattr(error, "figures", {}).items()
            },
        },
    )


def failure_outcome(error: Exception) -> Outcome:
    """Return the outcome of a command whose handling has a bug."""
    return Outcome(
        status="failed",
        error={
            "error": type(error).__name__,
            "message": error_text(error),
            "traceback": "".join(traceback.format_tb(error.__traceback__)),
        },
    )

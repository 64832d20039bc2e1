"""
What a command would cause now: decided as the journal decides it, and nothing written.

A decider's `decide` is a pure function (Jérémie Chassaing's decider), so it can be
asked without consequences. To ask what a state would be after events that have not
happened is Martin Fowler's "Parallel Model".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import psycopg

from eventstore.access.senders import Sender, needs_no_roles
from eventstore.aggregates.command_handler import Decision, Outcome, rejection_outcome
from eventstore.aggregates.decider import Decider, Deciders
from eventstore.aggregates.loading import Streams, find_histories, fold_from_starts
from eventstore.encryption.personal_fields import personal_fields
from eventstore.journal.accept import check_command, find_subject
from eventstore.journal.claim_conflicts import ClaimConflicts
from eventstore.journal.deciding import ParsedCommand, decide_one, read_command
from eventstore.journal.rejections import SUBJECT_FORGOTTEN, sender_rejection
from eventstore.journal.runner import Runner
from eventstore.journal.take import LeasedCommand
from eventstore.log.events import NewEvent, RecordedEvent
from eventstore.personal.keyring import Keyring, PrefetchedKeys

UNNUMBERED = "0"
"""The name of what gets its number later: the sequences of numbers begin with 1."""


class PreviewedEvent(NamedTuple):
    """
    An event that would be appended: its object, and how it would be recorded.

    *recorded* has its personal fields in the clear, the position 0, and the time of the
    preview.
    """

    fact: Any
    recorded: RecordedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPreview:
    """
    What a command would cause if it ran now.

    *outcome* is what the journal would store. It is decided on the stream *stream_id*
    at *version*, whose state is *before* then, and *after* with *events*. One that
    *gets_number* has a 0 in its place: none is drawn. *waiting* commands of the stream
    have their turn before it, and may change what it causes. *others* are the ids of
    the other streams that it reads.
    """

    outcome: Outcome
    stream_id: str
    gets_number: bool
    version: int
    before: Any
    after: Any
    events: Sequence[PreviewedEvent] = ()
    waiting: int = 0
    others: Sequence[str] = ()


def preview_command(
    connection: psycopg.Connection[Any],
    command: Any,
    runner: Runner,
    sender: Sender,
    *,
    expected_version: int | None = None,
) -> CommandPreview:
    """
    Return what *command* would cause if the *runner* ran it now, sent by *sender*.

    It equals what the journal answers later, where nothing comes in between: rules,
    claims, the sender's permission, *expected_version* (the version of the stream that
    the sender has seen, None for any), and commands about a person who was forgotten.
    In a pipeline it takes one round trip, and a further one for claims or other keys.
    Within `one_moment` the database itself refuses to write.

    Raises BadStreamId, NotANumber or InternalCommand as `accept` does, and
    VersionsMissing for a stream with a hole, where the command would wait.
    """
    decider = runner.deciders.of_command(type(command))
    stream_id = check_command(command, decider)
    runner = undisturbed(runner)
    keyring = Keyring(connection, runner.deciders.masters)
    readable = as_taken(command, sender, expected_version, decider, runner)
    streams, waiting = load_with_waiting(
        connection, stream_id, readable, runner.deciders, keyring
    )
    place = stream_id or no_stream(decider)
    streams.states.setdefault(place, decider.initial)
    streams.versions.setdefault(place, 0)
    keyring.preload(PrefetchedKeys(without=[place] if stream_id is None else []))
    if is_forgotten(command, decider, keyring):
        readable = readable._replace(fault=SUBJECT_FORGOTTEN)
    if not may_send(readable.command.type, sender, runner):
        fault = sender_rejection(readable.command.type, sender)
        readable = readable._replace(fault=fault)
    decision = decide_one(readable, place, streams, runner, keyring)
    claimed = ClaimConflicts(connection, runner.deciders, place, refusals=1)
    conflict = claimed.find_conflict(decision.claims, tuple)
    if conflict is not None:
        outcome = rejection_outcome(conflict.taken())
        decision = Decision(outcome, streams.states[place])
    return CommandPreview(
        outcome=decision.outcome,
        stream_id=stream_id or f"{place}{UNNUMBERED}",
        gets_number=stream_id is None,
        version=streams.versions[place],
        before=streams.states[place],
        after=decision.state,
        events=previewed(decision.events, decider, stream_id, streams, keyring),
        waiting=waiting,
        others=sorted({*readable.others.values()}),
    )


def undisturbed(runner: Runner) -> Runner:
    """Return *runner*, for which no answer of the database is a command's failure."""
    interruptions = (*runner.limits.interruptions, psycopg.Error)
    limits = replace(
        runner.limits, interruptions=interruptions, seconds_of_one_command=math.inf
    )
    return replace(runner, limits=limits)


def as_taken(
    command: Any,
    sender: Sender,
    expected_version: int | None,
    decider: Decider,
    runner: Runner,
) -> ParsedCommand:
    """Return *command* as a runner reads it that has taken it from the journal."""
    command_id = uuid4()
    metadata = {"correlation_id": command_id, "actor": sender.user}
    data = msgspec.json.encode(command).decode()
    taken = LeasedCommand(
        id=command_id,
        type=type(command).__name__,
        expected_version=expected_version,
        data=data,
        metadata=msgspec.json.encode(metadata).decode(),
    )
    return read_command(taken, lambda: data, decider, runner)


def no_stream(decider: Decider) -> str:
    """Return the id, which no stream has, for a command that gets a number later."""
    return f"{decider.category}-"


def load_with_waiting(
    connection: psycopg.Connection[Any],
    stream_id: str | None,
    readable: ParsedCommand,
    deciders: Deciders,
    keyring: Keyring,
) -> tuple[Streams, int]:
    """Return the streams that a command reads, and how many wait in its own one."""
    named = [] if stream_id is None else [stream_id]
    names = [*named, *readable.others.values()]
    if not names:
        return Streams(), 0
    counted = connection.execute("SELECT public.count_waiting(%s)", (stream_id,))
    pasts = find_histories(connection, names, deciders, keyring)
    streams, _ = fold_from_starts(connection, pasts, deciders, keyring)
    ((waiting,),) = counted.fetchall()
    return streams, waiting


def is_forgotten(command: Any, decider: Decider, keyring: Keyring) -> bool:
    """Return whether what is personal in *command* could not be read at its turn."""
    kind: type = type(command)
    if keyring.masters is None or not personal_fields(kind):
        return False
    subject = find_subject(command, decider)
    if subject is None:
        return False
    keyring.learn_subjects([subject])
    return subject in keyring.own and keyring.own[subject] is None


def may_send(command_type: str, sender: Sender, runner: Runner) -> bool:
    """Return whether the sender's roles permit the command, at its turn."""
    if runner.may is None or needs_no_roles(sender.user):
        return True
    return runner.may(command_type, sender)


def previewed(
    events: Sequence[NewEvent],
    decider: Decider,
    stream_id: str | None,
    streams: Streams,
    keyring: Keyring,
) -> Sequence[PreviewedEvent]:
    """Return *events* as they would be read, once they were appended."""
    place = stream_id or no_stream(decider)
    now = datetime.now(UTC)
    found = []
    for version, event in enumerate(events, streams.versions[place] + 1):
        recorded = keyring.decrypt_event(
            RecordedEvent(
                position=0,
                stream_id=stream_id or f"{place}{UNNUMBERED}",
                type=event.type,
                version=version,
                data=event.data,
                metadata=msgspec.json.encode(event.metadata).decode(),
                occurred_at=now,
            )
        )
        (fact,) = decider.events.read(recorded)
        found.append(PreviewedEvent(fact, recorded))
    return found

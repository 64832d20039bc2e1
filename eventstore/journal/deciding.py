"""Decide the taken commands one after the other, each on the state before it."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.access.senders import (
    PROCESS,
    May,
    find_senders,
    needs_no_roles,
)
from eventstore.aggregates.command_handler import (
    Cause,
    Decision,
    EventFactory,
    Outcome,
    decide,
    failure_outcome,
    rejection_outcome,
)
from eventstore.aggregates.decider import Decider, Deciders
from eventstore.aggregates.loading import Streams, fold_histories, load
from eventstore.claims import Change
from eventstore.encryption.envelope import FORGOTTEN, key_of
from eventstore.errors.unreadable import UnknownCommandType
from eventstore.journal.claim_conflicts import ClaimConflicts
from eventstore.journal.rejections import (
    SUBJECT_FORGOTTEN,
    internal_command_rejection,
    sender_rejection,
    stale_version_rejection,
)
from eventstore.journal.runner import FinishedCommand, Runner
from eventstore.journal.take import LeasedCommand, LeasedStream
from eventstore.log.limits import MAX_EVENTS
from eventstore.personal.keyring import Keyring


class DecidedCommand(NamedTuple):
    """A command and its decision."""

    command: LeasedCommand
    decision: Decision


class ParsedCommand(NamedTuple):
    """A command and its object, or its fault."""

    command: LeasedCommand
    body: Any = None
    others: Mapping[str, str] = MappingProxyType({})
    fault: Outcome | None = None


def read_commands(
    taken: LeasedStream, runner: Runner, keyring: Keyring
) -> list[ParsedCommand]:
    """
    Return the taken commands as objects, validated again.

    Raises UnknownCommandType: a newer version of this code accepted it.
    """
    deciders = runner.deciders
    decider = deciders.of_stream(taken.stream_id)
    ids = (key_of(command.data) for command in taken.commands)
    keyring.learn({key_id for key_id in ids if key_id})
    readable = []
    for command in taken.commands:
        if command.type not in deciders.commands:
            raise UnknownCommandType(command.type)
        is_internal = deciders.commands[command.type] in decider.internal
        if is_internal and not actor_of(command).startswith(PROCESS):
            refusal = internal_command_rejection(command.type, actor_of(command))
            readable.append(ParsedCommand(command, fault=refusal))
            continue
        decrypt = partial(keyring.decrypt, command.data, command.id)
        readable.append(read_command(command, decrypt, decider, runner))
    return readable


def read_command(
    command: LeasedCommand, decrypt: Callable[[], str], decider: Decider, runner: Runner
) -> ParsedCommand:
    """
    Return a command as its object, validated again; *decrypt* returns its JSON.

    One that cannot be read has its fault.
    """
    kind = runner.deciders.commands[command.type]
    try:
        data = msgspec.json.decode(decrypt())
        if FORGOTTEN in data:
            return ParsedCommand(command, fault=SUBJECT_FORGOTTEN)
        body = decider.read_command(kind, data)
        return ParsedCommand(command, body, decider.reads(body))
    except decider.invalid as error:
        # A refused command of our own processes is a bug: it fails, so that an operator
        # can retry it after the fix.
        is_internal = kind in decider.internal
        fault = failure_outcome(error) if is_internal else rejection_outcome(error)
        return ParsedCommand(command, fault=fault)
    except runner.limits.interruptions:
        raise
    except Exception as error:
        return ParsedCommand(command, fault=failure_outcome(error))


def refuse_senders(
    connection: psycopg.Connection[Any], commands: list[ParsedCommand], may: May | None
) -> list[ParsedCommand]:
    """
    Return *commands*, with a fault for those that their sender may not send any more.

    It was checked when they were accepted; the rights at their turn decide. It takes a
    further round trip only if a user has sent one.
    """
    by_users = [c.command for c in commands if not needs_no_roles(actor_of(c.command))]
    if may is None or not by_users:
        return commands
    senders = find_senders(connection, [command.id for command in by_users])
    return [
        readable._replace(fault=sender_rejection(readable.command.type, sender))
        if (sender := senders.get(readable.command.id))
        and not may(readable.command.type, sender)
        else readable
        for readable in commands
    ]


def actor_of(command: LeasedCommand) -> str:
    return str(msgspec.json.decode(command.metadata).get("actor", ""))


def load_taken(
    connection: psycopg.Connection[Any],
    taken: Sequence[LeasedStream],
    commands: Iterable[ParsedCommand],
    deciders: Deciders,
    keyring: Keyring,
) -> Streams:
    """
    Return the taken streams, and those that their commands name.

    It takes one further round trip for all of them, if commands name other streams.
    """
    pasts = {one.stream_id: one.past for one in taken}
    named = (stream for command in commands for stream in command.others.values())
    others = {*named} - pasts.keys()
    own = fold_histories(connection, pasts, deciders, keyring)
    loaded = Streams()
    if others:
        loaded = load(connection, sorted(others), deciders, keyring)
    # The taken stream has priority: commands without events have its version.
    return Streams({**own.states, **loaded.states}, {**own.versions, **loaded.versions})


def decide_all(
    commands: Sequence[ParsedCommand],
    streams: Streams,
    runner: Runner,
    keyring: Keyring,
    claimed: ClaimConflicts,
) -> Iterator[DecidedCommand]:
    """
    Yield the decisions in order, while there is time and room in one append.

    They are of the stream of *claimed*, and begin at its version in *streams*. The rest
    is taken again later.
    """
    stream_id = claimed.stream_id
    until = time.monotonic() + runner.limits.seconds_of_deciding
    now = Streams({**streams.states}, {**streams.versions})
    room = MAX_EVENTS

    def decide_at(command: ParsedCommand) -> Decision:
        return decide_one(command, stream_id, now, runner, keyring)

    for place, command in enumerate(commands):
        decision = decide_at(command)
        later = partial(claims_of, commands[place + 1 :], decide_at)
        conflict = claimed.find_conflict(decision.claims, later)
        if conflict is not None:
            decision = Decision(
                rejection_outcome(conflict.taken()), now.states[stream_id]
            )
        room -= len(decision.events)
        if room < 0:
            # A single command with too many events has failed; these have too many
            # together.
            return
        now.states[stream_id] = decision.state
        now.versions[stream_id] += len(decision.events)
        yield DecidedCommand(command.command, decision)
        if time.monotonic() > until:
            return


def claims_of(
    commands: Sequence[ParsedCommand], decide_at: Callable[[ParsedCommand], Decision]
) -> Iterator[Change]:
    """
    Yield the claims of *commands*, as if each of them were the next.

    It is a guess, to look up many at once: at its turn, each command's claims are
    checked.
    """
    for command in commands:
        yield from decide_at(command).claims


def decide_one(
    readable: ParsedCommand,
    stream_id: str,
    streams: Streams,
    runner: Runner,
    keyring: Keyring,
) -> Decision:
    """Decide one command on the state of its stream in *streams*."""
    command, body, others, fault = readable
    version = streams.versions[stream_id]
    if fault is None and command.expected_version not in (None, version):
        fault = stale_version_rejection(command.expected_version, version)
    if fault is not None:
        return Decision(fault, streams.states[stream_id])
    metadata = msgspec.json.decode(command.metadata)
    cause = Cause(
        command_id=command.id,
        correlation_id=UUID(metadata["correlation_id"]),
        actor=metadata["actor"],
        pruning=metadata.get("pruning"),
    )
    started = time.monotonic()
    try:
        decider = runner.deciders.of_stream(stream_id)
        factory = EventFactory(decider, stream_id, cause, keyring)
        return decide(factory, body, others, streams)
    except Exception as error:
        limits = runner.limits
        is_its_own = time.monotonic() - started > limits.seconds_of_one_command
        if isinstance(error, limits.interruptions) and not is_its_own:
            # Other commands used up the time: run it again.
            raise
        # A bug in this command only: continue with those after it.
        return Decision(failure_outcome(error), streams.states[stream_id])


def describe_finished(
    stream_id: str, version: int, decided: Iterable[DecidedCommand], seconds: float
) -> Iterator[FinishedCommand]:
    """Yield the reports of *decided*, appended to a stream at *version*."""
    all_of_them = list(decided)
    for command, decision in all_of_them:
        version += len(decision.events)
        error = decision.outcome.error or {}
        yield FinishedCommand(
            command_id=command.id,
            type=command.type,
            stream_id=stream_id,
            version=version,
            status=decision.outcome.status,
            # Only the name of the rule or error: its message may quote the command.
            why=error.get("rule") or error.get("error"),
            correlation_id=msgspec.json.decode(command.metadata)["correlation_id"],
            attempts=command.attempts,
            conflicts=command.conflicts,
            together=len(all_of_them),
            seconds=seconds,
        )

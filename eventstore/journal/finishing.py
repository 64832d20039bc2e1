"""Finish the taken commands of a drain: append and complete, or give back."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from eventstore.aggregates.command_handler import Decision, Outcome, failure_outcome
from eventstore.errors.refusals import is_lost_connection, raise_refusal
from eventstore.journal.completion import Completion, completing_arguments
from eventstore.journal.deciding import DecidedCommand, describe_finished
from eventstore.journal.runner import Runner
from eventstore.journal.take import LeasedStream, give_back, release
from eventstore.log.arguments import Arguments, append_arguments, later_arguments
from eventstore.signals import CATCH_UP

RUNNER_DIED = Outcome(status="failed", error={"error": "RunnerDied"})
"""Of a command that killed its runners too often; `take` stores the details."""


@dataclass(slots=True)
class DrainResult:
    """
    What a drain did.

    *finished* counts commands. *left* are commands to continue with: the next one of
    each stream whose time was up, and requested ones that could not be taken together.
    *has_signalled* is True if this drain raised the flag for the log's readers, which
    was down: then its caller sends their task.
    """

    finished: int = 0
    left: list[UUID] = field(default_factory=list)
    has_signalled: bool = False


@dataclass(slots=True)
class Drain:
    """One runner's work on one stream, or on several together, take after take."""

    connection: psycopg.Connection[Any]
    runner: Runner
    drained: DrainResult
    max_commands: int | None = None
    conflicts: int = 0
    taken_at: float = field(default_factory=time.monotonic)


def must_rise(work: Drain, error: Exception) -> bool:
    """Return whether *error* must end the drain: database away, or time up."""
    return is_lost_connection(error) or isinstance(
        error, work.runner.limits.interruptions
    )


def append_and_release(
    work: Drain,
    decided: Mapping[str, Sequence[DecidedCommand]],
    expected: Mapping[str, int],
    new_keys: str | None,
) -> list[UUID]:
    """
    Append the decisions of each stream and commit, then release and signal.

    It takes one round trip. Returns the commands that are due in these streams now.
    """
    places, values = finishing(work, decided, expected, new_keys)
    try:
        row = work.connection.execute(
            f"CALL public.finish(%s::text[], {places})", (list(decided), *values)
        ).fetchone()
    except psycopg.Error as error:
        raise_refusal(error, expected)
    assert row is not None
    next_due, is_raised = row
    note_finished(work, decided, expected, is_raised)
    return [command_id for command_id in next_due if command_id is not None]


def finishing(
    work: Drain,
    decided: Mapping[str, Sequence[DecidedCommand]],
    expected: Mapping[str, int],
    new_keys: str | None,
) -> Arguments:
    """Return the call that appends and completes the *decided* commands, by stream."""
    completing = [
        Completion(
            command_id=command.id,
            status=decision.outcome.status,
            error=decision.outcome.error,
        )
        for of_one in decided.values()
        for command, decision in of_one
    ]
    events = [
        (stream_id, event)
        for stream_id, of_one in decided.items()
        for one in of_one
        for event in one.decision.events
    ]
    claims = [
        claim
        for stream_id, of_one in decided.items()
        for command, decision in of_one
        for claim in work.runner.deciders.hashed(decision.claims, stream_id, command.id)
    ]
    forgotten = [
        subject
        for of_one in decided.values()
        for one in of_one
        for subject in one.decision.forgotten
    ]
    first = append_arguments(events, expected)
    ends = completing_arguments(completing)
    later = later_arguments(claims, new_keys, forgotten)
    return Arguments(
        f"{first.places}, {ends.places}, %s, {later.places}",
        (*first.values, *ends.values, CATCH_UP, *later.values),
    )


def note_finished(
    work: Drain,
    decided: Mapping[str, Sequence[DecidedCommand]],
    expected: Mapping[str, int],
    is_raised: bool,
) -> None:
    """Count the appended commands, and report each."""
    work.drained.has_signalled |= is_raised
    seconds = time.monotonic() - work.taken_at
    for stream_id, of_one in decided.items():
        work.drained.finished += len(of_one)
        for one in describe_finished(stream_id, expected[stream_id], of_one, seconds):
            work.runner.report(one)


def note_given_up(work: Drain, taken: LeasedStream) -> None:
    """Count the commands that the take has failed, and report each."""
    work.drained.finished += len(taken.given_up)
    for command, version in taken.given_up:
        failed = [DecidedCommand(command, Decision(RUNNER_DIED, None))]
        for one in describe_finished(taken.stream_id, version, failed, seconds=0.0):
            work.runner.report(one)


def put_back(
    work: Drain,
    taken: LeasedStream,
    incident: str,
    error: Exception,
    *,
    must_wait: bool = False,
) -> UUID | None:
    """Give the commands back and release; return the commands that are due now."""
    give_back(
        work.connection,
        [command.id for command in taken.commands],
        incident=incident,
        detail=failure_outcome(error).error or {},
        must_wait=must_wait,
    )
    return release(work.connection, taken.stream_id)

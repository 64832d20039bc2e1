"""Draining: all that waits in a stream, decided in order and appended at once."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from eventstore.command_handler import Decision, Streams, broken
from eventstore.decider import Deciders
from eventstore.errors import (
    CommandAlreadyFinished,
    EventStoreError,
    WrongExpectedVersion,
    raise_refusal,
)
from eventstore.journal.deciding import (
    Decided,
    decide_all,
    load_taken,
    read_commands,
)
from eventstore.journal.take import Taken, give_back, release, take
from eventstore.log.append import ARGUMENTS, Completion, append_arguments
from eventstore.subscriptions.signals import CATCH_UP

_FINISH = f"CALL public.finish(%s, {ARGUMENTS}, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is taken at once, and how often something may go wrong."""

    commands: int = 100
    bytes: int = 1_000_000
    seconds_of_deciding: float = 1.0
    # Then another stream has its turn; what is left here is told to the caller.
    seconds_of_draining: float = 5.0
    conflicts: int = 5
    deaths: int = 5


@dataclass(slots=True)
class Drained:
    """What a drain did; *next_due* is the command it left because its time was up."""

    finished: int = 0
    next_due: UUID | None = None
    # The flag for the log's readers was down and is up now: the caller tells them.
    has_signalled: bool = False


class DrainInterrupted(EventStoreError):
    """The database went away; *command_ids* were taken and are perhaps not finished."""

    def __init__(self, command_ids: Sequence[UUID]) -> None:
        self.command_ids = command_ids
        super().__init__(f"Interrupted with {len(command_ids)} commands under way.")


@dataclass(slots=True)
class Drain:
    """One runner's work on one stream, take after take."""

    connection: psycopg.Connection[Any]
    deciders: Deciders
    runner: str
    limits: Limits
    most: int
    drained: Drained = field(default_factory=Drained)
    conflicts: int = 0


def drain(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    deciders: Deciders,
    runner: str,
    limits: Limits,
) -> Drained:
    """
    Run all that is due in the stream of *command_id*, in the order it was accepted.

    Two round trips a take, on a *connection* in autocommit. An exception leaves that
    connection with the stream's lock: throw it away, a pool does not let go of it.

    Raises DrainInterrupted where the database went away.
    """
    work = Drain(connection, deciders, runner, limits, most=limits.commands)
    until = time.monotonic() + limits.seconds_of_draining
    next_due: UUID | None = command_id
    while next_due is not None and time.monotonic() < until:
        under_way = [next_due]
        try:
            taken = take(
                connection,
                next_due,
                runner=runner,
                most=work.most,
                most_bytes=limits.bytes,
                most_deaths=limits.deaths,
            )
            if taken is None:
                return work.drained
            under_way = [command.id for command in taken.commands]
            next_due = run(work, taken)
        except psycopg.OperationalError as error:
            raise DrainInterrupted(under_way) from error
    work.drained.next_due = next_due
    return work.drained


def run(work: Drain, taken: Taken) -> UUID | None:
    """Run what was taken; return the command that is due in the stream after it."""
    if not taken.commands:
        return release(work.connection, taken.stream_id)
    if taken.most == 1:
        # A runner died in this stream: one command at a time to its end.
        work.most = 1
    commands = read_commands(taken, work.deciders)
    try:
        streams = load_taken(work.connection, taken, commands, work.deciders)
    except EventStoreError as error:
        # This code cannot read the stream, a newer one perhaps can: it waits.
        return put_back(work, taken, "error", error, must_wait=True)
    decided = list(
        decide_all(
            taken,
            commands,
            streams,
            deciders=work.deciders,
            seconds=work.limits.seconds_of_deciding,
        )
    )
    try:
        return finish(work, taken, streams, decided)
    except CommandAlreadyFinished as error:
        return put_back(work, taken, "finished_elsewhere", error)
    except WrongExpectedVersion as error:
        work.conflicts += 1
        gives_up = work.conflicts >= work.limits.conflicts
        next_due = put_back(work, taken, "conflict", error, must_wait=gives_up)
        # Two that met once meet again, unless one of them waits a little longer.
        time.sleep(random.uniform(0, 0.005 * 2**work.conflicts))
        return next_due
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        # The database refuses what one of them decided: find out which, and fail it.
        if len(decided) > 1:
            work.most = 1
            return put_back(work, taken, "error", error)
        command, decision = decided[0]
        failed = Decided(command, Decision(broken(error), decision.state))
        return finish(work, taken, streams, [failed])


def finish(
    work: Drain, taken: Taken, streams: Streams, decided: Sequence[Decided]
) -> UUID | None:
    """Append and commit, then let go and signal: in one round trip."""
    completing = [
        Completion(
            command_id=command.id,
            status=decision.outcome.status,
            error=decision.outcome.error,
        )
        for command, decision in decided
    ]
    events = [(taken.stream_id, e) for d in decided for e in d.decision.events]
    try:
        row = work.connection.execute(
            _FINISH,
            (
                taken.stream_id,
                *append_arguments(events, streams.versions, completing),
                CATCH_UP,
            ),
        ).fetchone()
    except psycopg.Error as error:
        raise_refusal(error, streams.versions)
    assert row is not None
    next_due: UUID | None
    next_due, is_raised = row
    work.drained.has_signalled |= is_raised
    work.drained.finished += len(decided)
    return next_due


def put_back(
    work: Drain,
    taken: Taken,
    incident: str,
    error: Exception,
    *,
    must_wait: bool = False,
) -> UUID | None:
    """Give the commands back in good order, let go, and return what is due now."""
    give_back(
        work.connection,
        [command.id for command in taken.commands],
        incident=incident,
        detail={"error": type(error).__name__, "message": str(error)},
        must_wait=must_wait,
    )
    return release(work.connection, taken.stream_id)

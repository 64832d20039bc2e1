"""Draining: all that waits in a stream, decided in order and appended at once."""

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from eventstore.access.senders import May
from eventstore.aggregates.command_handler import Decision, Outcome, broken
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import keep_snapshot
from eventstore.errors import (
    AlreadyClaimed,
    CommandAlreadyFinished,
    KeyMadeElsewhere,
    WrongExpectedVersion,
    is_lost_connection,
    is_of_the_data,
    raise_refusal,
)
from eventstore.journal.claim_conflicts import Claimed
from eventstore.journal.deciding import (
    Decided,
    Report,
    decide_all,
    finished,
    load_taken,
    read_commands,
    refuse_senders,
    report_to_nobody,
)
from eventstore.journal.lease import keeping_lease
from eventstore.journal.take import Limits, Taken, give_back, release, take
from eventstore.log.arguments import (
    Arguments,
    Completion,
    append_arguments,
    completing_arguments,
    later_arguments,
)
from eventstore.personal.keyring import Keyring
from eventstore.signals import CATCH_UP

RUNNER_DIED = Outcome(status="failed", error={"error": "RunnerDied"})
"""Of a command that killed its runners too often; `take` wrote more of it."""


@dataclass(slots=True)
class Drained:
    """What a drain did; *next_due* is the command it left because its time was up."""

    finished: int = 0
    next_due: UUID | None = None
    # The flag for the log's readers was down and is up now: the caller tells them.
    has_signalled: bool = False


@dataclass(slots=True)
class Drain:
    """One runner's work on one stream, take after take."""

    connection: psycopg.Connection[Any]
    deciders: Deciders
    runner: str
    limits: Limits
    most: int
    report: Report = report_to_nobody
    may: May | None = None
    drained: Drained = field(default_factory=Drained)
    conflicts: int = 0
    taken_at: float = 0.0


def drain(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    deciders: Deciders,
    runner: str,
    limits: Limits,
    may: May | None = None,
    report: Report = report_to_nobody,
) -> Drained:
    """
    Run all that is due in the stream of *command_id*, in the order it was accepted.

    What *may* does not allow its sender is rejected; without it, nobody is asked.

    Two round trips a take, on a *connection* in autocommit. What fails is given back in
    good order, with its error. Where the database goes away, or the runner's time is
    up, that error rises: the connection may hold the stream's lock and is thrown away,
    a pool does not let go of it; and whoever lives on calls `forget_marks`. *report* is
    told of each command that is final.
    """
    work = Drain(
        connection,
        deciders,
        runner,
        limits,
        most=limits.commands,
        report=report,
        may=may,
    )
    until = time.monotonic() + limits.seconds_of_draining
    next_due: UUID | None = command_id
    with keeping_lease(connection):
        while next_due is not None and time.monotonic() < until:
            work.taken_at = time.monotonic()
            taken = take(work.connection, next_due, **asked_of(work))
            if taken is None:
                return work.drained
            note_given_up(work, taken)
            next_due = run(work, taken)
    work.drained.next_due = next_due
    return work.drained


def asked_of(work: Drain) -> Any:
    """Return what is asked of each take."""
    return {
        "runner": work.runner,
        "most": work.most,
        "most_bytes": work.limits.bytes,
        "most_deaths": work.limits.deaths,
        "fingerprints": work.deciders.fingerprints,
    }


def run(work: Drain, taken: Taken) -> UUID | None:
    """Run what was taken; return the command that is due in the stream after it."""
    if not taken.commands:
        return release(work.connection, taken.stream_id)
    if taken.most == 1:
        # A runner died in this stream: one command at a time to its end.
        work.most = 1
    try:
        return decide_and_append(work, taken)
    except CommandAlreadyFinished as error:
        return put_back(work, taken, "finished_elsewhere", error)
    except (WrongExpectedVersion, AlreadyClaimed, KeyMadeElsewhere) as error:
        work.conflicts += 1
        gives_up = work.conflicts >= work.limits.conflicts
        next_due = put_back(work, taken, "conflict", error, must_wait=gives_up)
        # Two that met once meet again, unless one of them waits a little longer.
        time.sleep(random.uniform(0, 0.005 * 2**work.conflicts))
        return next_due
    except Exception as error:
        if is_lost_connection(error) or isinstance(error, work.limits.interruptions):
            raise
        return find_the_cause(work, taken, error)


def decide_and_append(work: Drain, taken: Taken) -> UUID | None:
    keyring = Keyring(work.connection, work.deciders.masters)
    keyring.give(taken.keys)
    commands = read_commands(taken, work.deciders, work.limits, keyring)
    commands = refuse_senders(work.connection, commands, work.may)
    streams = load_taken(work.connection, taken, commands, work.deciders, keyring)
    is_long = len(taken.past.events) >= work.limits.long_past
    if is_long and work.limits.keeps_snapshots(taken.stream_id):
        keep_snapshot(work.connection, taken.stream_id, streams, work.deciders, keyring)
    claimed = Claimed(work.connection, work.deciders, taken.stream_id)
    while True:
        decided = list(
            decide_all(
                taken,
                commands,
                streams,
                deciders=work.deciders,
                limits=work.limits,
                keyring=keyring,
                claimed=claimed,
            )
        )
        try:
            next_due = finish(work, taken, streams.versions, decided, keyring.new_keys)
        except AlreadyClaimed as refusal:
            if claimed.refusals >= work.limits.conflicts:
                # Somebody is always faster with what was free when we asked.
                raise
            claimed.learn(refusal)
            continue
        work.conflicts = 0
        return next_due


def find_the_cause(work: Drain, taken: Taken, error: Exception) -> UUID | None:
    """
    Go on after an error that is no decision: one by one, until it is that one's.

    What the database refuses fails the command that decided it. Whatever else keeps it
    from being decided (a stream that this code cannot read, a function that is missing
    while a migration runs) is not its fault: it waits, with the error noted.
    """
    if len(taken.commands) > 1:
        work.most = 1
        return put_back(work, taken, "error", error)
    if not is_of_the_data(error):
        return put_back(work, taken, "error", error, must_wait=True)
    failed = Decided(taken.commands[0], Decision(broken(error), None))
    return finish(work, taken, {taken.stream_id: taken.past.version}, [failed])


def finish(
    work: Drain,
    taken: Taken,
    expected: Mapping[str, int],
    decided: Sequence[Decided],
    new_keys: str | None = None,
) -> UUID | None:
    """Append and commit, then let go and signal: in one round trip."""
    by_stream = {taken.stream_id: decided}
    places, values = finishing(work, by_stream, expected, new_keys)
    try:
        row = work.connection.execute(
            f"CALL public.finish(%s, {places})", (taken.stream_id, *values)
        ).fetchone()
    except psycopg.Error as error:
        raise_refusal(error, expected)
    assert row is not None
    next_due: UUID | None
    next_due, is_raised = row
    note_finished(work, by_stream, expected, is_raised)
    return next_due


def finishing(
    work: Drain,
    decided: Mapping[str, Sequence[Decided]],
    expected: Mapping[str, int],
    new_keys: str | None,
) -> Arguments:
    """Return what appends all that was *decided*, by stream, and completes it."""
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
        for claim in work.deciders.hashed(decision.claims, stream_id, command.id)
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
    decided: Mapping[str, Sequence[Decided]],
    expected: Mapping[str, int],
    is_raised: bool,
) -> None:
    """Count what was appended, and report each command of it."""
    work.drained.has_signalled |= is_raised
    seconds = time.monotonic() - work.taken_at
    for stream_id, of_one in decided.items():
        work.drained.finished += len(of_one)
        for one in finished(stream_id, expected[stream_id], of_one, seconds):
            work.report(one)


def note_given_up(work: Drain, taken: Taken) -> None:
    """Count what the take itself has failed, and report it."""
    work.drained.finished += len(taken.given_up)
    for command, version in taken.given_up:
        failed = [Decided(command, Decision(RUNNER_DIED, None))]
        for one in finished(taken.stream_id, version, failed, seconds=0.0):
            work.report(one)


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
        detail=broken(error).error or {},
        must_wait=must_wait,
    )
    return release(work.connection, taken.stream_id)

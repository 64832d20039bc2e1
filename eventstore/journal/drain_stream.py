"""Drain one stream: take, decide in order and append, until nothing is due."""

import random
import time
from collections.abc import Mapping, Sequence
from uuid import UUID

from eventstore.aggregates.command_handler import Decision, failure_outcome
from eventstore.aggregates.loading import keep_snapshot
from eventstore.errors import (
    AlreadyClaimed,
    CommandAlreadyFinished,
    KeyMadeElsewhere,
    WrongExpectedVersion,
)
from eventstore.errors.refusals import is_of_the_data
from eventstore.journal.claim_conflicts import ClaimConflicts
from eventstore.journal.deciding import (
    DecidedCommand,
    decide_all,
    load_taken,
    read_commands,
    refuse_senders,
)
from eventstore.journal.finishing import (
    Drain,
    append_and_release,
    must_rise,
    note_given_up,
    put_back,
)
from eventstore.journal.take import LeasedStream, release, take
from eventstore.personal.keyring import Keyring

MAX_PAUSE = 0.16
"""Seconds before a command that conflicted is decided again, from the fifth time on."""


def drain_stream(work: Drain, command_id: UUID) -> None:
    """Take the stream of *command_id* and run it, repeatedly until nothing is due."""
    until = work.taken_at + work.runner.limits.seconds_of_draining
    next_due: UUID | None = command_id
    while next_due is not None and time.monotonic() < until:
        work.taken_at = time.monotonic()
        taken = take(work.connection, next_due, work.runner, work.max_commands)
        if taken is None:
            return
        if taken.given_up:
            note_given_up(work, taken)
        next_due = run(work, taken)
    if next_due is not None:
        work.drained.left.append(next_due)


def run(work: Drain, taken: LeasedStream) -> UUID | None:
    """Run the taken commands; return the next command due in the stream, or None."""
    if not taken.commands:
        return release(work.connection, taken.stream_id)
    if taken.lease_limit == 1:
        # A runner died in this stream: finish one command at a time.
        work.max_commands = 1
    try:
        return decide_and_append(work, taken)
    except CommandAlreadyFinished as error:
        return put_back(work, taken, "finished_elsewhere", error)
    except (WrongExpectedVersion, AlreadyClaimed, KeyMadeElsewhere) as error:
        work.conflicts += 1
        gives_up = work.conflicts >= work.runner.limits.max_conflict_retries
        next_due = put_back(work, taken, "conflict", error, must_wait=gives_up)
        # Two conflicting runners conflict again, unless one waits a little longer.
        time.sleep(random.uniform(0, MAX_PAUSE * 2 ** min(0, work.conflicts - 5)))
        return next_due
    except Exception as error:
        if must_rise(work, error):
            raise
        return find_the_cause(work, taken, error)


def decide_and_append(work: Drain, taken: LeasedStream) -> UUID | None:
    keyring = Keyring(work.connection, work.runner.deciders.masters)
    keyring.preload(taken.keys)
    commands = read_commands(taken, work.runner, keyring)
    commands = refuse_senders(work.connection, commands, work.runner.may)
    streams = load_taken(
        work.connection, [taken], commands, work.runner.deciders, keyring
    )
    is_long = len(taken.past.events) >= work.runner.limits.long_past
    if is_long and work.runner.limits.keeps_snapshots(taken.stream_id):
        keep_snapshot(
            work.connection, taken.stream_id, streams, work.runner.deciders, keyring
        )
    claimed = ClaimConflicts(work.connection, work.runner.deciders, taken.stream_id)
    while True:
        decided = list(decide_all(commands, streams, work.runner, keyring, claimed))
        try:
            next_due = finish(work, taken, streams.versions, decided, keyring.new_keys)
        except AlreadyClaimed as refusal:
            if claimed.refusals >= work.runner.limits.max_conflict_retries:
                # Each time another writer claims a value that was free when we asked.
                raise
            claimed.learn(refusal)
            continue
        work.conflicts = 0
        return next_due


def find_the_cause(work: Drain, taken: LeasedStream, error: Exception) -> UUID | None:
    """
    Continue after an error that is no decision: one by one, to find its command.

    A command whose data the database refuses fails. Any other error (a stream that this
    code cannot read, a function that is missing while a migration runs) is not the
    command's fault: it waits, with the error noted.
    """
    if len(taken.commands) > 1:
        work.max_commands = 1
        return put_back(work, taken, "error", error)
    if not is_of_the_data(error):
        return put_back(work, taken, "error", error, must_wait=True)
    failed = DecidedCommand(taken.commands[0], Decision(failure_outcome(error), None))
    return finish(work, taken, {taken.stream_id: taken.past.version}, [failed])


def finish(
    work: Drain,
    taken: LeasedStream,
    expected: Mapping[str, int],
    decided: Sequence[DecidedCommand],
    new_keys: str | None = None,
) -> UUID | None:
    """Append, commit and release the stream; return the command due in it, or None."""
    next_due = append_and_release(work, {taken.stream_id: decided}, expected, new_keys)
    return next_due[0] if next_due else None

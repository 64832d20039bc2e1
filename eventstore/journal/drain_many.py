"""
Draining many streams at once: one take, one append, one commit for all of them.

It is for streams with little in each. What does not go together (a conflict, a refusal,
a stream that reads another one of them) goes on stream by stream, as `drain` does it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import UUID

import psycopg

from eventstore.access.senders import May
from eventstore.aggregates.decider import Deciders
from eventstore.encryption.envelope import key_of
from eventstore.errors import EventStoreError, is_lost_connection, raise_refusal
from eventstore.journal.claim_conflicts import Claimed
from eventstore.journal.deciding import (
    Decided,
    Readable,
    Report,
    decide_all,
    load_all_taken,
    read_commands,
    refuse_senders,
    report_to_nobody,
)
from eventstore.journal.drain import (
    Drain,
    Drained,
    asked_of,
    finishing,
    note_finished,
    note_given_up,
    put_back,
    run,
)
from eventstore.journal.lease import keeping_lease
from eventstore.journal.take import Limits, Taken, take_ahead, take_many
from eventstore.log.limits import MOST_EVENTS
from eventstore.personal.keyring import NO_KEYS, Keyring

COMMANDS_OF_A_STREAM = 20
"""At first; a stream that has more waiting is drained alone from then on."""


@dataclass(slots=True)
class DrainedMany:
    """
    What was done, and what its caller goes on with.

    *left* are commands that are due now in streams that were drained. *apart* are those
    of the asked that were not among what was taken: somebody has their stream, they are
    finished, or their runner died.
    """

    drained: Drained = field(default_factory=Drained)
    left: list[UUID] = field(default_factory=list)
    apart: list[UUID] = field(default_factory=list)


def drain_many(
    connection: psycopg.Connection[Any],
    command_ids: Sequence[UUID],
    *,
    deciders: Deciders,
    runner: str,
    limits: Limits,
    report: Report = report_to_nobody,
    may: May | None = None,
) -> DrainedMany:
    """
    Run what is due in the streams of *command_ids*: two round trips, if all goes well.

    The errors that rise are those of `drain`, and what is to be done then is the same.
    """
    most = min(COMMANDS_OF_A_STREAM, limits.commands)
    work = Drain(
        connection, deciders, runner, limits, most=most, report=report, may=may
    )
    work.taken_at = time.monotonic()
    with keeping_lease(connection):
        taken = take_many(connection, command_ids, **asked_of(work))
        done = run_all(work, taken)
    known = {command.id for one in taken for command in one.commands}
    done.apart = [command_id for command_id in command_ids if command_id not in known]
    return done


def drain_ahead(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    ahead: int,
    deciders: Deciders,
    runner: str,
    limits: Limits,
    report: Report = report_to_nobody,
    may: May | None = None,
) -> DrainedMany:
    """
    Run what is due in the stream of *command_id*, and what waits right behind it.

    Up to *ahead* of its neighbours go along. Where many wait that costs little, and
    whoever comes for them finds them finished; where nothing waits, it is `drain`.
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
    work.taken_at = time.monotonic()
    most = min(COMMANDS_OF_A_STREAM, limits.commands)
    asked = asked_of(work)
    with keeping_lease(connection):
        taken = take_ahead(
            connection, command_id, ahead=ahead, most_of_others=most, **asked
        )
        return run_all(work, taken)


def run_all(work: Drain, taken: Sequence[Taken]) -> DrainedMany:
    """Run what was taken: together what goes together, and then stream by stream."""
    until = work.taken_at + work.limits.seconds_of_draining
    done = DrainedMany(work.drained)
    alone = taken
    for one in taken:
        note_given_up(work, one)
    if len(taken) > 1:
        together, alone = finish_together(work, taken)
        # Their turn comes later: who was forgotten by then is to be found forgotten.
        alone = [replace(one, keys=NO_KEYS) for one in alone]
        done.left += together
    for one in alone:
        # Each as if it had been taken by itself: a conflict is its own.
        single = replace(work, drained=Drained(), conflicts=0)
        if time.monotonic() > until and one.commands:
            next_due = put_back(single, one, "postponed", TimeIsUp())
        else:
            next_due = run(single, one)
        done.drained.finished += single.drained.finished
        done.drained.has_signalled |= single.drained.has_signalled
        done.left += [next_due] if next_due else []
    return done


class TimeIsUp(EventStoreError):
    """Other streams that were taken with it took all the time there was."""


def finish_together(
    work: Drain, taken: Sequence[Taken]
) -> tuple[list[UUID], Sequence[Taken]]:
    """
    Append what goes together; return what is due after it, and the streams left.

    Those are held still. Whatever is wrong with one of them shows itself when they are
    run one by one.
    """
    try:
        return decide_and_append(work, taken)
    except Exception as error:
        if is_lost_connection(error) or isinstance(error, work.limits.interruptions):
            raise
        return [], taken


def decide_and_append(
    work: Drain, taken: Sequence[Taken]
) -> tuple[list[UUID], Sequence[Taken]]:
    keyring = Keyring(work.connection, work.deciders.masters)
    for one in taken:
        keyring.give(one.keys)
    # At once: each stream would ask for those of its own commands.
    ids = (key_of(command.data) for one in taken for command in one.commands)
    keyring.learn({key_id for key_id in ids if key_id})
    readable = {
        one.stream_id: read_commands(one, work.deciders, work.limits, keyring)
        for one in taken
        # One in which a runner died since it was looked at comes alone.
        if one.commands and one.most > 1
    }
    refuse_all_senders(work, readable)
    held = [one for one in taken if one.stream_id in readable]
    held = [one for one in held if reads_none_of(held, readable[one.stream_id])]
    if len(held) < 2:
        return [], taken
    commands = [c for one in held for c in readable[one.stream_id]]
    streams = load_all_taken(work.connection, held, commands, work.deciders, keyring)
    decided: dict[str, list[Decided]] = {}
    for one, of_one in decisions(work, held, readable, streams, keyring):
        decided[one.stream_id] = of_one
    if not decided:
        return [], taken
    read = {s for c in commands for s in c.others.values()}
    expected = {
        stream_id: version
        for stream_id, version in streams.versions.items()
        if stream_id in decided or stream_id in read
    }
    next_due = append_together(work, decided, expected, keyring.new_keys)
    return next_due, [one for one in taken if one.stream_id not in decided]


def refuse_all_senders(work: Drain, readable: dict[str, list[Readable]]) -> None:
    """Refuse what senders may not send any more, in all streams by one look."""
    streams = list(readable)
    checked = iter(
        refuse_senders(
            work.connection, [c for s in streams for c in readable[s]], work.may
        )
    )
    for stream_id in streams:
        readable[stream_id] = list(islice(checked, len(readable[stream_id])))


def reads_none_of(held: Sequence[Taken], commands: Sequence[Readable]) -> bool:
    """Say whether no command reads a stream that this append is going to change."""
    names = {one.stream_id for one in held}
    return not any(names & {*command.others.values()} for command in commands)


def decisions(
    work: Drain,
    held: Sequence[Taken],
    readable: dict[str, list[Readable]],
    streams: Any,
    keyring: Keyring,
) -> Iterator[tuple[Taken, list[Decided]]]:
    """
    Yield what was decided in each stream, while there is time and room in one append.

    A stream with a command that causes nothing is left out: where such a one stands is
    told by the head of its own stream.
    """
    until = time.monotonic() + work.limits.seconds_of_deciding
    room = MOST_EVENTS
    for one in held:
        of_one = list(
            decide_all(
                one,
                readable[one.stream_id],
                streams,
                deciders=work.deciders,
                limits=work.limits,
                keyring=keyring,
                claimed=Claimed(work.connection, work.deciders, one.stream_id),
            )
        )
        events = sum(len(decided.decision.events) for decided in of_one)
        if all(decided.decision.events for decided in of_one) and events <= room:
            room -= events
            yield one, of_one
        if time.monotonic() > until:
            return


def append_together(
    work: Drain,
    decided: dict[str, list[Decided]],
    expected: dict[str, int],
    new_keys: str | None,
) -> list[UUID]:
    places, values = finishing(work, decided, expected, new_keys)
    try:
        row = work.connection.execute(
            f"CALL public.finish_many(%s::text[], {places})", (list(decided), *values)
        ).fetchone()
    except psycopg.Error as error:
        raise_refusal(error, expected)
    assert row is not None
    next_due, is_raised = row
    note_finished(work, decided, expected, is_raised)
    return [command_id for command_id in next_due if command_id is not None]

"""
Drain several streams at once: one take, one append, one commit for all of them.

It is for streams with few commands. Those that cannot be joined (by a conflict, a
refusal, a stream that reads another one of them) are drained one by one.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import UUID

from eventstore.encryption.envelope import key_of
from eventstore.errors import EventStoreError
from eventstore.journal.claim_conflicts import ClaimConflicts
from eventstore.journal.deciding import (
    DecidedCommand,
    ParsedCommand,
    decide_all,
    load_taken,
    read_commands,
    refuse_senders,
)
from eventstore.journal.drain_stream import run
from eventstore.journal.finishing import (
    Drain,
    append_and_release,
    must_rise,
    note_given_up,
    put_back,
)
from eventstore.journal.take import LeasedStream
from eventstore.log.limits import MAX_EVENTS
from eventstore.personal.keyring import NO_PREFETCHED_KEYS, Keyring


def run_together(work: Drain, taken: Sequence[LeasedStream]) -> None:
    """Run the taken commands: in one append if possible, the rest stream by stream."""
    until = work.taken_at + work.runner.limits.seconds_of_draining
    alone = taken
    for one in taken:
        if one.given_up:
            note_given_up(work, one)
    if len(taken) > 1:
        together, alone = finish_together(work, taken)
        # They are read later: a subject forgotten by then must read as forgotten.
        alone = [replace(one, keys=NO_PREFETCHED_KEYS) for one in alone]
        work.drained.left += together
    for one in alone:
        # Each as if it had been taken alone: a conflict is its own.
        single = replace(work, conflicts=0)
        if time.monotonic() > until and one.commands:
            next_due = put_back(single, one, "postponed", TimeIsUp())
        else:
            next_due = run(single, one)
        if next_due is not None:
            work.drained.left.append(next_due)


class TimeIsUp(EventStoreError):
    """Other streams taken with it have used up the time."""


def finish_together(
    work: Drain, taken: Sequence[LeasedStream]
) -> tuple[list[UUID], Sequence[LeasedStream]]:
    """
    Append what can be joined; return the commands due next, and the streams left.

    These are still held. An error of one of them occurs again when they are run one by
    one.
    """
    try:
        return decide_together(work, taken)
    except Exception as error:
        if must_rise(work, error):
            raise
        return [], taken


def decide_together(
    work: Drain, taken: Sequence[LeasedStream]
) -> tuple[list[UUID], Sequence[LeasedStream]]:
    keyring = Keyring(work.connection, work.runner.deciders.masters)
    for one in taken:
        keyring.preload(one.keys)
    # In one query: otherwise each stream would fetch its own.
    ids = (key_of(command.data) for one in taken for command in one.commands)
    keyring.learn({key_id for key_id in ids if key_id})
    readable = {
        one.stream_id: read_commands(one, work.runner, keyring)
        for one in taken
        # A stream in which a runner died meanwhile is taken alone.
        if one.commands and one.lease_limit > 1
    }
    refuse_all_senders(work, readable)
    held = [one for one in taken if one.stream_id in readable]
    held = [one for one in held if reads_none_of(held, readable[one.stream_id])]
    if len(held) < 2:
        return [], taken
    commands = [c for one in held for c in readable[one.stream_id]]
    streams = load_taken(work.connection, held, commands, work.runner.deciders, keyring)
    decided: dict[str, list[DecidedCommand]] = {}
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
    next_due = append_and_release(work, decided, expected, keyring.new_keys)
    return next_due, [one for one in taken if one.stream_id not in decided]


def refuse_all_senders(work: Drain, readable: dict[str, list[ParsedCommand]]) -> None:
    """Refuse commands that senders may not send any more, with one query."""
    streams = list(readable)
    checked = iter(
        refuse_senders(
            work.connection, [c for s in streams for c in readable[s]], work.runner.may
        )
    )
    for stream_id in streams:
        readable[stream_id] = list(islice(checked, len(readable[stream_id])))


def reads_none_of(
    held: Sequence[LeasedStream], commands: Sequence[ParsedCommand]
) -> bool:
    """Return whether no command reads a stream that this append changes."""
    names = {one.stream_id for one in held}
    return not any(names & {*command.others.values()} for command in commands)


def decisions(
    work: Drain,
    held: Sequence[LeasedStream],
    readable: dict[str, list[ParsedCommand]],
    streams: Any,
    keyring: Keyring,
) -> Iterator[tuple[LeasedStream, list[DecidedCommand]]]:
    """
    Yield the decisions of each stream, while there is time and room in one append.

    A stream with a command that causes no event is left out: such a command needs the
    version of its stream.
    """
    until = time.monotonic() + work.runner.limits.seconds_of_deciding
    room = MAX_EVENTS
    for one in held:
        of_one = list(
            decide_all(
                readable[one.stream_id],
                streams,
                work.runner,
                keyring,
                ClaimConflicts(work.connection, work.runner.deciders, one.stream_id),
            )
        )
        events = sum(len(decided.decision.events) for decided in of_one)
        if all(decided.decision.events for decided in of_one) and events <= room:
            room -= events
            yield one, of_one
        if time.monotonic() > until:
            return

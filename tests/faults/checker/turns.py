"""Turns: effects in a stream go by them, and what is scheduled keeps its order."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from tests.faults.checker.journal import Command
from tests.faults.checker.verdict import Verdict

IN_TURN = "commands of a stream take effect in the order of their turns"
TIMES = "what is scheduled in a stream has its turn in the order of its times"

Place = tuple[int, bool]


def check_turns(journal: Mapping[str, Command], verdict: Verdict) -> None:
    """Hold the effects in each stream against the turns, and those against times."""
    streams: dict[str, list[Command]] = defaultdict(list)
    for command in journal.values():
        if command.turn is not None:
            streams[command.stream].append(command)
    verdict.note(
        IN_TURN,
        sum(map(len, streams.values())),
        (c for of_one in streams.values() for c in out_of_turn(of_one)),
    )
    scheduled = [
        [command for command in of_one if command.not_before is not None]
        for of_one in streams.values()
    ]
    verdict.note(
        TIMES,
        sum(map(len, scheduled)),
        (c for of_one in scheduled for c in turned_round(of_one)),
    )


def out_of_turn(stream: Sequence[Command]) -> Iterator[str]:
    """Yield what took effect before something whose turn was before its own."""
    latest = latest_scheduled = (0, False)
    for command in sorted(stream, key=lambda one: one.turn or 0):
        is_placed = command.events or command.decided_at is not None
        # An operator has it tried again later: its place is that of then.
        if not is_placed or command.was_retried:
            continue
        behind: Place = (command.decided_at or 0, True)
        first = behind if command.first_event is None else (command.first_event, False)
        last = behind if command.last_event is None else (command.last_event, False)
        # A number is drawn before its command is committed: of two that are due at once
        # the first may show itself last, and `order` holds one against what was sent
        # after its answer. Turns are drawn under the lock of their stream.
        is_scheduled = command.not_before is not None
        if first < (latest if is_scheduled else latest_scheduled):
            yield command.id
        latest = max(latest, last)
        if is_scheduled:
            latest_scheduled = max(latest_scheduled, last)


def turned_round(scheduled: Sequence[Command]) -> Iterator[str]:
    """
    Yield what got its turn before one that was accepted by then, for an earlier time.

    Numbers and turns are of one sequence: what has a number below a turn was accepted
    before that was drawn.
    """
    for one in scheduled:
        for other in scheduled:
            assert one.turn is not None
            assert other.turn is not None
            assert one.not_before is not None
            assert other.not_before is not None
            if (
                other.not_before < one.not_before
                and other.number < one.turn < other.turn
            ):
                yield one.id
                break


def fall_of_clock(journal: Mapping[str, Command]) -> timedelta:
    """Return by how much the database's clock went back, as acceptances tell it."""
    latest = None
    fall = timedelta()
    for command in sorted(journal.values(), key=lambda one: one.number):
        latest = max(latest or command.accepted_at, command.accepted_at)
        fall = max(fall, latest - command.accepted_at)
    return fall

"""In which order commands took effect: as the client saw them accepted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.faults.checker.asked import KeyHistory
from tests.faults.checker.journal import Command
from tests.faults.checker.verdict import Verdict

LINES = "lines of a batch for one stream take effect in their order"
ORDER = "what was accepted before another was sent takes effect before it"


class Sent(NamedTuple):
    """A command of one stream: when it was sent and promised, and what it did."""

    sent: float
    promised: float
    command: Command

    @property
    def first(self) -> tuple[int, bool]:
        """Where its effect begins; one without events stands behind an event."""
        first = self.command.first_event
        return self.after if first is None else (first, False)

    @property
    def last(self) -> tuple[int, bool]:
        last = self.command.last_event
        return self.after if last is None else (last, False)

    @property
    def after(self) -> tuple[int, bool]:
        return self.command.decided_at or 0, True


def check_order(
    asked: Mapping[str, KeyHistory], journal: Mapping[str, Command], verdict: Verdict
) -> None:
    """
    Compare the order in each stream with the client's log, and nothing else.

    Of two commands of a stream the order is known where the 202 of one was there before
    the other was sent for the first time; and of two lines of one batch, which were
    sent at the same moment, and are in the client's log in their order.
    """
    streams: dict[str, list[Sent]] = defaultdict(list)
    batches: dict[tuple[str, float], list[Sent]] = defaultdict(list)
    for one in asked.values():
        promised = one.first_promised
        ids = one.ids
        if promised is None or len(ids) != 1 or one.is_scheduled:
            continue
        command = journal.get(*ids)
        if command is not None and has_a_place(command):
            sent = Sent(one.first_sent, promised, command)
            streams[command.stream].append(sent)
            if one.attempts[0].batch:
                batches[command.stream, sent.sent].append(sent)
    looked_at = sum(map(len, streams.values()))
    verdict.note(
        ORDER, looked_at, (c for sent in streams.values() for c in too_early(sent))
    )
    verdict.note(
        LINES,
        sum(map(len, batches.values())),
        (c for lines in batches.values() for c in turned_round(lines)),
    )


def has_a_place(command: Command) -> bool:
    """Say whether it is known where in its stream it was decided."""
    # An operator has it tried again later: its place is that of then.
    is_placed = command.events or command.decided_at is not None
    return bool(is_placed) and not command.was_retried


def too_early(stream: list[Sent]) -> Iterator[str]:
    """
    Yield what took effect before something that was promised before it was sent.

    Both lists are gone through once: with each that was sent goes the last effect of
    all that was promised by then.
    """
    by_promise = sorted(stream, key=lambda one: one.promised)
    latest: tuple[int, bool] = (0, False)
    place = 0
    for one in sorted(stream, key=lambda one: one.sent):
        while place < len(by_promise) and by_promise[place].promised < one.sent:
            latest = max(latest, by_promise[place].last)
            place += 1
        if one.first < latest:
            yield one.command.id


def turned_round(lines: list[Sent]) -> Iterator[str]:
    """Yield what took effect before a line of the same batch that it came after."""
    latest: tuple[int, bool] = (0, False)
    for one in lines:
        if one.first < latest:
            yield one.command.id
        latest = max(latest, one.last)

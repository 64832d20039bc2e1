"""In which order commands took effect: as the client saw them accepted."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from tests.faults.checker.asked import Asked
from tests.faults.checker.journal import Command
from tests.faults.checker.verdict import Verdict

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
    asked: Mapping[str, Asked], journal: Mapping[str, Command], verdict: Verdict
) -> None:
    """
    Compare the order in each stream with the client's clock, and nothing else.

    Of two commands of a stream the order is known where the 202 of one was there before
    the other was sent for the first time.
    """
    streams: dict[str, list[Sent]] = defaultdict(list)
    for one in asked.values():
        promised = one.first_promised
        ids = one.ids
        if promised is None or len(ids) != 1 or one.is_scheduled:
            continue
        command = journal.get(*ids)
        if command is not None and has_a_place(command):
            streams[command.stream].append(Sent(one.first_sent, promised, command))
    looked_at = sum(map(len, streams.values()))
    verdict.note(
        ORDER, looked_at, (c for sent in streams.values() for c in too_early(sent))
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

"""What process managers would send because of events, without sending it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from eventstore.aggregates.decider import Deciders
from eventstore.log.events import RecordedEvent
from eventstore.subscriptions.process_manager import ProcessManager, ProcessManagerRun


class PreviewedCommand(NamedTuple):
    """
    A command that a process manager would send; *process* is the name of that.

    *stream_id* is None if it would get a number. *not_before* is the time when it is
    due, None: at once.
    """

    process: str
    command: Any
    stream_id: str | None
    not_before: datetime | None


def preview_follow_ups(
    processes: Iterable[ProcessManager],
    events: Iterable[RecordedEvent],
    deciders: Deciders,
) -> Iterator[PreviewedCommand]:
    """
    Yield what *processes* would send because of *events*, in their order.

    The events have their personal fields in the clear.
    """
    runs = [ProcessManagerRun(process, deciders, secret=b"") for process in processes]
    for event in events:
        for run in runs:
            if event.type not in run.process.codec.types:
                continue
            for sent in run.follow(event, {}):
                decider = deciders.of_command(type(sent.command))
                yield PreviewedCommand(
                    run.process.name,
                    sent.command,
                    decider.stream_of(sent.command),
                    sent.not_before,
                )

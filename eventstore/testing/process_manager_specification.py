"""When an event, then commands: a process manager on one line, without a database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from eventstore.subscriptions.process_manager import ProcessManager


@dataclass(frozen=True, slots=True)
class ProcessManagerSpecification:
    """
    A process manager, and what a test has told of it so far.

    It remembers nothing from one event to the next, so nothing is given: what it has to
    know is in the event, or in the state that its command is decided on.
    """

    process: ProcessManager
    stream_id: str = ""
    events: Sequence[Any] = ()

    def when(self, stream_id: str, *events: Any) -> "ProcessManagerSpecification":
        """Tell what happens in a stream."""
        return replace(self, stream_id=stream_id, events=events)

    def then(self, *commands: Any) -> None:
        """Check that these commands are sent, in this order, and no others."""
        sent = self.sent()
        if sent != list(commands):
            raise AssertionError(f"sent {sent}, expected {list(commands)}")

    def then_nothing(self) -> None:
        """Check that nothing is sent."""
        self.then()

    def sent(self) -> list[Any]:
        """
        Return the commands that follow.

        As in a database, it does not hear of events of other classes than its own, and
        gets each as it was written and read again.
        """
        codec = self.process.codec
        return [
            command
            for event in self.events
            if type(event) in codec.classes
            for command in self.process.react(
                self.stream_id, codec.decode(type(event).__name__, codec.encode(event))
            )
        ]

"""How long it takes from a 202 until the list of orders shows what the command did."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.loading.connection import Connection

FIRST_LOOK = 0.015
NEXT_LOOK = 1.3
"""Each look comes so many times as late as the one before: few looks, also if slow."""
PATIENCE = 60.0


class NotSeen(Exception):
    """An accepted command did not succeed, or the list did not show it in time."""


@dataclass(frozen=True, slots=True)
class PendingCommand:
    """A command that was accepted at *since*; *then* is called once it is seen."""

    id: str
    since: float
    then: Callable[[], None]


@dataclass
class Visibility:
    """The commands that are watched, and how long each took to be seen."""

    watched: "queue.SimpleQueue[PendingCommand | None]" = field(
        default_factory=queue.SimpleQueue
    )
    seconds: list[float] = field(default_factory=list)

    def watch(self, connection: Connection) -> None:
        """
        Follow one command after the other, until there is a None among them.

        Few questions are asked, so as not to be a load ourselves: the command's status
        until it has a position, then a list that is at least as new as that.
        """
        while command := self.watched.get():
            self.see(connection, command)
            self.seconds.append(time.monotonic() - command.since)
            command.then()

    def see(self, connection: Connection, command: PendingCommand) -> None:
        """Return when the list shows what *command* did. Raises NotSeen."""
        look = Looks(command.since)
        position = None
        while position is None:
            look.wait()
            status, body = connection.get(f"/api/commands/{command.id}")
            if status != 200 or body["status"] not in ("accepted", "succeeded"):
                raise NotSeen(f"{status} {body}")
            position = body["position"]
        while True:
            path = f"/api/orders?limit=1&min_position={position}"
            status, body = connection.get(path)
            if status != 200:
                raise NotSeen(f"{status} {body}")
            if not body["behind"]:
                return
            look.wait()


@dataclass
class Looks:
    """When to look at what began at *since*."""

    since: float
    after: float = FIRST_LOOK

    def wait(self) -> None:
        """Wait until the next check. Raises NotSeen if the time is up."""
        if self.after > PATIENCE:
            raise NotSeen(f"not within {PATIENCE:.0f} s")
        time.sleep(max(self.since + self.after - time.monotonic(), 0))
        waited = time.monotonic() - self.since
        self.after = max(waited * NEXT_LOOK, waited + FIRST_LOOK)

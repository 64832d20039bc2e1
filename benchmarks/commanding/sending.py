"""Messages for workers, held back until the clock starts; and when all had begun."""

import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from benchmarks.commanding import cpu
from benchmarks.commanding.cpu import Used
from benchmarks.commanding.desk import Desk
from benchmarks.commanding.servers import wait_until
from tasks.accept import STREAMS_OF_A_TASK
from tasks.app import app
from tasks.broker.queues import queue_name

HELD = "held"
"""A queue without workers; it is renamed to the one that all workers wait for."""
MAX_SECONDS = 300.0


class Sender:
    """A producer of this process for one desk's broker, with the shop's settings."""

    def __init__(self, desk: Desk) -> None:
        desk.use()
        self.desk = desk
        self.queue = queue_name("commands", desk.shop.identity)
        url = desk.shop.settings.broker_url
        self.connection = app.connection_for_write(url=url)
        self.producer = app.amqp.Producer(self.connection, auto_declare=False)

    def close(self) -> None:
        self.connection.close()

    def send(self, task: str, arguments: list[object], id_: str, queue: str) -> None:
        # As `publishing` sends a command.
        app.send_task(
            task,
            arguments,
            task_id=id_,
            shadow="PlaceOrder",
            queue=queue,
            producer=self.producer,
        )

    def time_commands(self, ids: Sequence[UUID]) -> Used:
        """Return what workers need for these commands, a message for each."""
        for command_id in ids:
            self.send("execute", [[str(command_id)]], str(command_id), HELD)
        return self.time_held()

    def time_together(self, ids: Sequence[UUID]) -> Used:
        """Return what they need for them in messages that name many."""
        for start in range(0, len(ids), STREAMS_OF_A_TASK):
            many = [str(one) for one in ids[start : start + STREAMS_OF_A_TASK]]
            self.send("execute", [many], many[0], HELD)
        return self.time_held()

    def time_empty(self, count: int) -> Used:
        """Return what they need for as many tasks that do nothing."""
        self.send_empty(count, HELD)
        return self.time_held()

    def send_empty(self, count: int, queue: str) -> None:
        for id_ in [str(uuid.uuid4()) for _ in range(count)]:
            self.send("empty", [[id_]], id_, queue)

    def time_held(self) -> Used:
        """Let go of what is held; return what was used until all of it was run."""
        path = self.mark_end(HELD)
        with cpu.watched(self.desk) as used:
            started = time.monotonic()
            self.desk.broker.rename(HELD, self.queue)
            ended = self.ended(path)
        used.seconds = ended - started
        return used

    def mark_end(self, queue: str) -> Path:
        """Send the message that is run after all that were sent before."""
        path = self.desk.folder / f"mark-{uuid.uuid4().hex}"
        self.send("mark", [str(path)], str(uuid.uuid4()), queue)
        return path

    def ended(self, path: Path) -> float:
        """Return the time at which the mark was reached and all commands were final."""
        wait_until(path.exists, "the workers have reached the end", MAX_SECONDS, 0.005)
        marked = float(path.read_text())
        path.unlink()
        # The last ones began before the mark, and end after it.
        waited = self.desk.wait_until_final()
        return time.monotonic() if waited else marked

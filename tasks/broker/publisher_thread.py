"""The outbox: a thread that publishes, so that no request waits for the broker."""

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

MAX_QUEUED = 2_000
"""Messages that wait for a slow broker; the relay runs the commands of any others."""
MAX_TOGETHER = 20
"""Commands that one task names, of those accepted meanwhile."""
SECONDS_TO_EMPTY = 2.0
SECONDS_OF_IDLENESS = 0.5

_started: list["PublisherThread"] = []


class PendingMessage(NamedTuple):
    """
    A task as it would be sent alone.

    *command_ids* are those of the commands that it names. A task that names none is
    not joined with others.
    """

    task: str
    command_ids: Sequence[str] = ()
    task_id: str | None = None
    shadow: str | None = None


class PublisherThread:
    """
    Messages to the broker, sent in order by one thread a process.

    *send* gets the messages of one task. While there are none, *when_idle* is called
    repeatedly.
    """

    def __init__(
        self,
        send: Callable[[Sequence[PendingMessage]], None],
        *,
        most: int = MAX_QUEUED,
        when_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self.send = send
        self.most = most
        self.when_idle = when_idle
        self.is_known = False
        self.begin()

    def begin(self) -> None:
        self.messages: queue.Queue[PendingMessage] = queue.Queue(self.most)
        self.following: PendingMessage | None = None
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def put(self, message: PendingMessage) -> bool:
        """Queue *message* for sending; return False if too many wait already."""
        try:
            self.messages.put_nowait(message)
        except queue.Full:
            return False
        if self.thread is None:
            self.start()
        return True

    def start(self) -> None:
        with self.lock:
            if self.thread is not None:
                return
            self.thread = threading.Thread(target=self.work, name="outbox", daemon=True)
            self.thread.start()
            if self.is_known:
                return
            self.is_known = True
            _started.append(self)
            atexit.register(self.empty, SECONDS_TO_EMPTY)
            # A forked process has neither the thread nor its messages.
            os.register_at_fork(after_in_child=self.begin)

    def work(self) -> None:
        while True:
            together = self.take()
            if not together:
                self.when_idle()
                continue
            try:
                self.send(together)
            finally:
                for _ in together:
                    self.messages.task_done()

    def take(self) -> list[PendingMessage]:
        """
        Return the next message and those after it that share its task.

        The list is empty if none has come for a while.
        """
        first, self.following = self.following, None
        with suppress(queue.Empty):
            first = first or self.messages.get(timeout=SECONDS_OF_IDLENESS)
        if first is None:
            return []
        together, room = [first], MAX_TOGETHER - len(first.command_ids)
        with suppress(queue.Empty):
            while first.command_ids and room > 0:
                behind = self.messages.get_nowait()
                room -= len(behind.command_ids)
                if behind.task != first.task or room < 0:
                    self.following = behind
                    break
                together.append(behind)
        return together

    def empty(self, seconds: float) -> bool:
        """Wait at most *seconds* until all is sent; return whether it is."""
        until = time.monotonic() + seconds
        while self.messages.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)
        return not self.messages.unfinished_tasks


def empty_all(seconds: float) -> None:
    """Wait until this process's outboxes are empty, at most *seconds* for each."""
    for outbox in _started:
        outbox.empty(seconds)

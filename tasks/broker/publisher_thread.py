"""The outbox: a thread that publishes, so that no request waits for the broker."""

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable

MAX_QUEUED = 2_000
"""So many messages wait for a broker that is slow; what is more the relay runs."""
SECONDS_TO_EMPTY = 2.0
SECONDS_OF_IDLENESS = 0.5

Message = Callable[[], None]

_outboxes: list["PublisherThread"] = []


class PublisherThread:
    """
    Messages on their way to the broker, sent in order by one thread a process.

    While there are none it does *when_idle*, again and again.
    """

    def __init__(
        self, most: int = MAX_QUEUED, when_idle: Callable[[], None] = lambda: None
    ) -> None:
        _outboxes.append(self)
        self.most = most
        self.when_idle = when_idle
        self.begin()
        # A thread does not come along into a process that is forked.
        os.register_at_fork(after_in_child=self.begin)

    def begin(self) -> None:
        self.messages: queue.Queue[Message] = queue.Queue(self.most)
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def put(self, message: Message) -> bool:
        """Have *message* sent soon; return False where too many wait already."""
        try:
            self.messages.put_nowait(message)
        except queue.Full:
            return False
        if self.thread is None:
            self.start()
        return True

    def start(self) -> None:
        with self.lock:
            if self.thread is None:
                self.thread = threading.Thread(
                    target=self.work, name="outbox", daemon=True
                )
                self.thread.start()
                atexit.register(self.empty, SECONDS_TO_EMPTY)

    def work(self) -> None:
        while True:
            try:
                message = self.messages.get(timeout=SECONDS_OF_IDLENESS)
            except queue.Empty:
                self.when_idle()
                continue
            try:
                message()
            finally:
                self.messages.task_done()

    def empty(self, seconds: float) -> bool:
        """Wait until all is sent, but no longer than that; return whether it is."""
        until = time.monotonic() + seconds
        while self.messages.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)
        return not self.messages.unfinished_tasks


def empty_all(seconds: float) -> None:
    """Wait until all outboxes of this process are empty, each no longer than that."""
    for outbox in _outboxes:
        outbox.empty(seconds)

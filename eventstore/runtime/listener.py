"""The thread that is woken by others, wakes the workers, and reports who is behind."""

import time
from collections.abc import Callable, Iterable

from eventstore.runtime.waking import CHANNEL, listen
from eventstore.runtime.worker import Worker
from eventstore.sessions.session import Session

SECONDS_TO_LISTEN = 0.2
"""Until it looks whether it is to stop."""


class Listener(Worker):
    """
    Wakes *workers* as soon as somebody calls `wake`, also in another process.

    *report* is called every *report_seconds* with the session.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        workers: Iterable[Worker],
        report: Callable[[Session], None],
        report_seconds: float,
    ) -> None:
        super().__init__("listener", connect)
        self.workers = workers
        self.report = report
        self.report_seconds = report_seconds
        self.next_report = time.monotonic() + report_seconds

    def begin(self, session: Session) -> None:
        session.execute(f"LISTEN {CHANNEL}".encode())
        # Nobody heard what was sent while there was no session.
        self.wake_all()

    def work(self, session: Session) -> bool:
        if listen(session, SECONDS_TO_LISTEN):
            self.wake_all()
        if time.monotonic() >= self.next_report:
            self.next_report = time.monotonic() + self.report_seconds
            self.report(session)
        # It waits by listening, and not once more.
        return True

    def wake_all(self) -> None:
        for worker in self.workers:
            worker.wake()

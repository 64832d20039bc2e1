"""The thread that takes snapshots of streams that have grown."""

from collections.abc import Callable

from eventstore.aggregates.decider import Deciders
from eventstore.runtime.log import say_stopped
from eventstore.runtime.worker import Worker
from eventstore.sessions.session import Session
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy, snapshot_taker

MAX_SECONDS = 1.0
"""Of one run, to the end of a batch: who stops the program does not wait for longer."""


class SnapshotTaker(Worker):
    """Takes them once a second: nobody waits for a snapshot."""

    longest_pause = 1.0

    def __init__(
        self,
        connect: Callable[[], Session],
        deciders: Deciders,
        policy: SnapshotPolicy,
        note_failure: Callable[[str, Exception], None],
    ) -> None:
        super().__init__("snapshot taker", connect)
        self.subscription = snapshot_taker(deciders, policy=policy)
        self.note_failure = note_failure
        self.has_failed = False

    def work(self, session: Session) -> bool:
        reached = catch_up(session, self.subscription, seconds=MAX_SECONDS)
        if reached.error is not None and not self.has_failed:
            say_stopped(self.subscription.name, reached.error)
            self.note_failure(self.subscription.name, reached.error)
        self.has_failed = reached.error is not None
        return False

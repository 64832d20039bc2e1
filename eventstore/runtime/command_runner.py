"""The thread that runs the commands of the journal."""

import os
import socket
from collections.abc import Callable, Sequence
from itertools import count
from uuid import UUID

from eventstore.aggregates.decider import Deciders
from eventstore.journal.drain import drain
from eventstore.journal.finishing import DrainResult
from eventstore.journal.runner import FinishedCommand, Limits, Runner
from eventstore.journal.take import find_waiting, forget_marks
from eventstore.runtime.log import log, say_finished
from eventstore.runtime.worker import Worker
from eventstore.sessions.session import Session

STREAMS_A_LOOK = 100
STREAMS_TOGETHER = 20
"""So many are taken and appended together: one commit for all of them."""

_numbers = count(1)


class CommandRunner(Worker):
    """
    Runs what waits in the journal, over the session that it is given.

    That are commands of clients and of process managers, and scheduled ones that have
    become due. *report* gets each that is final; *wake_reader* is called after appends.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        deciders: Deciders,
        limits: Limits,
        report: Callable[[FinishedCommand], None],
        wake_reader: Callable[[], None],
    ) -> None:
        super().__init__("command runner", connect)
        # Several of them may be in one process.
        name = f"program:{socket.gethostname()}:{os.getpid()}-{next(_numbers)}"

        def report_one(command: FinishedCommand) -> None:
            say_finished(command)
            try:
                report(command)
            except Exception:
                # The command is final, whatever *report* raises.
                log.exception("a report of a command failed")

        self.runner = Runner(
            deciders=deciders, name=name, limits=limits, report=report_one
        )
        self.wake_reader = wake_reader
        # What was being run when a session was lost, and why.
        self.interrupted: tuple[UUID, str] | None = None

    def begin(self, session: Session) -> None:
        """Take back the marks of a session that was lost: its runner lives."""
        if self.interrupted is not None:
            command_id, error = self.interrupted
            forget_marks(session, self.runner.name, command_id, {"error": error})
            self.interrupted = None

    def work(self, session: Session) -> bool:
        """Run what waits, stream after stream; return whether any was finished."""
        waiting = find_waiting(session, patience=0, most=STREAMS_A_LOOK)
        ids = [command_id for _, command_id in waiting]
        finished = 0
        for start in range(0, len(ids), STREAMS_TOGETHER):
            if not self.is_stopping:
                finished += self.run_all(session, ids[start : start + STREAMS_TOGETHER])
                self.wake_reader()
        return finished > 0

    def run_all(self, session: Session, command_ids: Sequence[UUID]) -> int:
        """Run these and what else is due in their streams; return how many."""
        done = self.drain(session, command_ids)
        finished = done.finished
        if len(command_ids) > 1:
            # Those that must be taken alone, since a runner died there.
            for command_id in done.left:
                if self.is_stopping:
                    break
                finished += self.drain(session, [command_id]).finished
        return finished

    def drain(self, session: Session, command_ids: Sequence[UUID]) -> DrainResult:
        try:
            return drain(session, command_ids, self.runner)
        except Exception as error:
            # The session holds locks of streams: it is closed, and then this is noted.
            self.interrupted = (command_ids[0], type(error).__name__)
            raise

"""A runtime: all that an application's events and commands need, in a few threads."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypedDict

from psycopg.conninfo import conninfo_to_dict

from eventstore.aggregates.decider import Deciders
from eventstore.errors import ReaderStopped
from eventstore.errors.text import error_text
from eventstore.journal.runner import FinishedCommand, Limits, report_to_nobody
from eventstore.projections.projection import Projection
from eventstore.runtime.command_runner import CommandRunner
from eventstore.runtime.listener import Listener
from eventstore.runtime.log import log, log_lags
from eventstore.runtime.log_reader import LogReader, Readers
from eventstore.runtime.snapshots import SnapshotTaker
from eventstore.runtime.worker import Worker
from eventstore.sessions.opening import open_session
from eventstore.sessions.session import Session
from eventstore.subscriptions.lag import SubscriptionLag, find_standings
from eventstore.subscriptions.process_manager import ProcessManager
from eventstore.subscriptions.snapshot_taker import (
    NAME,
    SnapshotPolicy,
    ensure_snapshot_taker,
)
from eventstore.subscriptions.standstill import OUTDATED, Standstill

SNAPSHOTS = SnapshotPolicy()
"""When a stream gets a snapshot, where nothing else is said."""
SECONDS_BETWEEN_LOOKS = 0.005
"""Of `wait`, at whether all is done."""
SECONDS_TO_NAME_CAUSE = 0.5
"""After them another program has met the error, and the cause is there."""


class RuntimeOptions(TypedDict, total=False):
    """What else a runtime may be given, see there."""

    secret: bytes | None
    snapshots: SnapshotPolicy | None
    limits: Limits | None
    report_command: Callable[[FinishedCommand], None]
    report: Callable[[Sequence[SubscriptionLag]], None]
    report_seconds: float
    raises: bool


class Runtime:
    """
    Keeps read models, runs process managers and commands, and takes snapshots.

    Threads of this process do it, each over a connection of its own. *url* is the
    address of the database, as libpq takes it. Several runtimes on one database, in one
    process or in many, share the work: what one of them leaves undone another one does,
    and nothing is done twice. `run` makes a program of it; in a test or a web process
    use it as a context manager:

        with Runtime(url, deciders, projections) as runtime:
            ...
            runtime.wait()

    *secret* is the one for `accept`, and is needed with *process_managers* alone.
    *snapshots* says when a stream gets one, None never. *limits* are the bounds for
    commands. *report_command* gets each command that is final, *report* every
    *report_seconds* where each reader of the log stands; both are called by a thread of
    the runtime. Without *report* there is a line in the log for who stands still. With
    *raises* the first error by which a read model or a process manager stands still
    ends the work: `run` and the end of the block raise it.

    Raises ValueError where there are process managers and no secret.
    """

    def __init__(
        self,
        url: str,
        deciders: Deciders,
        projections: Sequence[Projection] = (),
        process_managers: Sequence[ProcessManager] = (),
        *,
        secret: bytes | None = None,
        snapshots: SnapshotPolicy | None = SNAPSHOTS,
        limits: Limits | None = None,
        report_command: Callable[[FinishedCommand], None] = report_to_nobody,
        report: Callable[[Sequence[SubscriptionLag]], None] = log_lags,
        report_seconds: float = 10.0,
        raises: bool = False,
    ) -> None:
        if process_managers and secret is None:
            raise ValueError("process managers send commands: give them a secret")
        self._target = target_of(url)
        self._report = report
        self._raises = raises
        self._has_begun = False
        self.error: Exception | None = None
        self.has_ended = threading.Event()
        self._readers = Readers(deciders, projections, process_managers, secret or b"")
        self._reader = LogReader(
            self.connect,
            self._readers,
            self._note_failure,
            wake_commands=lambda: self._commands.wake(),
        )
        self._commands = CommandRunner(
            self.connect,
            deciders,
            limits or Limits(),
            report_command,
            wake_reader=self._reader.wake,
        )
        self._listener = Listener(
            self.connect,
            [self._reader, self._commands],
            self._report_lags,
            report_seconds,
        )
        self._workers: list[Worker] = [self._reader, self._commands, self._listener]
        self._takes_snapshots = snapshots is not None
        if snapshots is not None:
            self._workers.append(
                SnapshotTaker(self.connect, deciders, snapshots, self._note_failure)
            )

    def connect(self) -> Session:
        """Return a new connection in autocommit, whose settings are known."""
        return open_session(**self._target)

    def start(self) -> Self:
        """
        Make what is missing in the database, and start the threads.

        Missing are read models without tables, and the places of process managers: they
        hear of what happens from now on. Start it after a fork, not before.

        Raises psycopg.OperationalError where the database is away, and RuntimeError
        where it was started before.
        """
        if self._has_begun:
            raise RuntimeError("a runtime is started once: make another one")
        with closing(self.connect()) as session:
            self._readers.prepare(session)
            if self._takes_snapshots:
                ensure_snapshot_taker(session)
        self._has_begun = True
        for worker in self._workers:
            worker.thread.start()
        log.info("started")
        return self

    def stop(self, seconds: float = 10.0) -> bool:
        """
        Let each thread end what it is doing, and wait for that so many *seconds*.

        Returns False where one has not ended then. It may be left alone: what it does
        is undone when the process ends, and done by another one.
        """
        for worker in self._workers:
            worker.stop()
        until = time.monotonic() + seconds
        if self._has_begun:
            for worker in self._workers:
                worker.thread.join(max(0.0, until - time.monotonic()))
        busy = [one.name for one in self._workers if one.thread.is_alive()]
        if busy:
            log.error("not stopped within %.0f s: %s", seconds, ", ".join(busy))
        else:
            log.info("stopped")
        self.has_ended.set()
        return not busy

    def wake(self) -> None:
        """Look at once whether there is something to do, without a word to others."""
        self._listener.wake_all()

    def wait(self, seconds: float = 10.0) -> None:
        """
        Wait until what was sent and appended is done, with all that follows from it.

        That is: no command is due, and process managers and read models have read the
        log to its end.

        Raises ReaderStopped where one of them stands still, with what it raised as its
        cause where that was in this process, and TimeoutError after *seconds*.
        """
        until = time.monotonic() + seconds
        stopped_since: float | None = None
        self.wake()
        with closing(self.connect()) as session:
            while True:
                # What is idle now has no error that it noted before.
                is_idle = self._is_idle(session)
                stopped = self._find_stopped(session)
                if stopped is None:
                    if is_idle:
                        return
                    stopped_since = None
                else:
                    # It is noted a moment before the thread that met it tells us.
                    now = time.monotonic()
                    stopped_since = stopped_since or now
                    is_old = now - stopped_since > SECONDS_TO_NAME_CAUSE
                    if stopped.__cause__ is not None or is_old:
                        raise stopped
                if time.monotonic() > until:
                    raise TimeoutError(f"there is work left after {seconds} s")
                time.sleep(SECONDS_BETWEEN_LOOKS)

    def lags(self) -> list[SubscriptionLag]:
        """Return where each reader of the log stands, by name."""
        with closing(self.connect()) as session:
            return self._find_lags(session)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        if self.error is not None and error is None:
            raise self.error

    def _note_failure(self, name: str, error: Exception) -> None:
        if self._raises and self.error is None:
            self.error = error
            for worker in self._workers:
                worker.stop()
            self.has_ended.set()

    def _report_lags(self, session: Session) -> None:
        self._report(self._find_lags(session))

    def _find_lags(self, session: Session) -> list[SubscriptionLag]:
        readers = self._readers.find(session)
        names = [one.name for one in readers.subscriptions]
        names += [NAME] if self._takes_snapshots else []
        lags = find_standings(session, [*names, *readers.outdated])
        return [
            replace(lag, standstill=Standstill(None, OUTDATED))
            if lag.name in readers.outdated
            else lag
            for lag in lags
        ]

    def _is_idle(self, session: Session) -> bool:
        """
        Return whether no command is due and nothing is left to read.

        In one statement: what a command of its snapshot has appended was drawn before.
        """
        names = [one.name for one in self._readers.find(session).subscriptions]
        row = session.execute(
            """
            SELECT NOT EXISTS (
                SELECT FROM public.commands
                WHERE status = 'accepted'
                    AND (not_before IS NULL OR not_before <= clock_timestamp())
            ) AND NOT EXISTS (
                SELECT FROM public.subscriptions
                WHERE name = ANY (%s) AND checkpoint < public.last_drawn()
            )
            """,
            (names,),
        ).fetchone()
        return row == (True,)

    def _find_stopped(self, session: Session) -> ReaderStopped | None:
        """Return the error of the first reader that stands still by one, or None."""
        for lag in self._find_lags(session):
            is_outdated = lag.standstill == Standstill(None, OUTDATED)
            if lag.is_stopped or is_outdated:
                cause = self._reader.failures.get(lag.name)
                noted = OUTDATED if is_outdated else str((lag.error or {}).get("error"))
                why = noted if cause is None else error_text(cause)
                stopped = ReaderStopped(lag.name, why)
                stopped.__cause__ = cause
                return stopped
        return None


def target_of(url: str) -> dict[str, Any]:
    """Return the parameters of libpq in *url*, also where it is one of SQLAlchemy."""
    return conninfo_to_dict(url.replace("postgresql+psycopg://", "postgresql://", 1))

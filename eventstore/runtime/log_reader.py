"""The thread that reads the log for read models and process managers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.projections.forgetting import NAME as FORGETTING
from eventstore.projections.forgetting import forgetting
from eventstore.projections.generations import (
    LiveGeneration,
    live_generations,
    make_first_generation,
)
from eventstore.projections.live_readers import LiveReaders, find_live_readers
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.runtime.log import say_goes_on, say_outdated, say_stopped
from eventstore.runtime.worker import Worker
from eventstore.sessions.session import Session
from eventstore.subscriptions.catch_up import CaughtUp, lag
from eventstore.subscriptions.process_manager import (
    ProcessManager,
    ProcessManagerRun,
    begin_acting,
)
from eventstore.subscriptions.reader import Reader, names_of
from eventstore.subscriptions.shared_pass import SharedPass
from eventstore.subscriptions.subscription import Subscription

SECONDS_BETWEEN_FULL_LOOKS = 1.0
"""At who is set apart and to be tried again, and at generations that were swapped."""


class Readers:
    """Which read models and process managers a program keeps, and where they stand."""

    def __init__(
        self,
        deciders: Deciders,
        projections: Sequence[Projection],
        process_managers: Sequence[ProcessManager],
        secret: bytes,
    ) -> None:
        self.deciders = deciders
        self.projections = projections
        # What they have sent, in the order of its passes.
        self.sent: list[UUID] = []
        self.process_managers = [
            ProcessManagerRun(process, deciders, secret, self.sent)
            for process in process_managers
        ]

    def prepare(self, connection: psycopg.Connection[Any]) -> None:
        """Make the read models that are missing, and deploy the process managers."""
        for acting in self.process_managers:
            begin_acting(connection, acting.process)
        self.make_missing(connection, live_generations(connection))
        if self.deciders.forgets:
            connection.execute(
                "INSERT INTO public.subscriptions (name) VALUES (%s)"
                " ON CONFLICT (name) DO NOTHING",
                (FORGETTING,),
            )

    def make_missing(
        self, connection: psycopg.Connection[Any], live: dict[str, LiveGeneration]
    ) -> bool:
        """Make the read models that are not *live*; return whether there were any."""
        missing = [one for one in self.projections if one.name not in live]
        for projection in missing:
            with connection.transaction():
                make_first_generation(connection, projection)
        return bool(missing)

    def subscribe(self, projection: Projection, number: int) -> Subscription:
        return replace(
            subscription_of(projection, number), masters=self.deciders.masters
        )

    def find(self, connection: psycopg.Connection[Any]) -> LiveReaders:
        """Return what reads the log now; forgetting is the last of it."""
        found = find_live_readers(
            connection,
            self.projections,
            self.process_managers,
            self.subscribe,
        )
        if self.deciders.forgets:
            # It acts when the live rows have come there.
            found.subscriptions.append(
                forgetting(self.projections, self.deciders.forgets)
            )
        return found


class LogReader(Worker):
    """
    Reads what is new in shared passes, over the session that it is given.

    *note_failure* gets the name of a reader and the error that it stands still for;
    *wake_commands* is called when process managers have sent something.
    """

    def __init__(
        self,
        connect: Callable[[], Session],
        readers: Readers,
        note_failure: Callable[[str, Exception], None],
        wake_commands: Callable[[], None],
    ) -> None:
        super().__init__("log reader", connect)
        self.readers = readers
        self.note_failure = note_failure
        self.wake_commands = wake_commands
        self.failures: dict[str, Exception] = {}
        self.subscriptions: Sequence[Subscription] = ()
        self.outdated: set[str] = set()
        self.next_full_look = 0.0
        self.handled = 0
        # Of its session, in PostgreSQL.
        self.pid: int | None = None

    def begin(self, session: Session) -> None:
        """Take back the mark of a session that was lost: its process lives."""
        if self.pid is not None:
            session.execute("DELETE FROM public.passes WHERE pid = %s", (self.pid,))
        self.pid = session.info.backend_pid
        self.readers.sent.clear()
        self.next_full_look = 0.0

    def work(self, session: Session) -> bool:
        """Read to the end of what is settled; return whether events were read."""
        if time.monotonic() >= self.next_full_look:
            self.look(session)
            self.next_full_look = time.monotonic() + SECONDS_BETWEEN_FULL_LOOKS
        elif not lag(session, names_of(self.subscriptions)):
            return False
        reader = Reader(session, self.note_pass, self.note_alone)
        reader.begin(self.subscriptions)
        has_read = False
        while not self.is_stopping:
            self.handled = 0
            reader.read(self.subscriptions)
            if self.readers.sent:
                self.readers.sent.clear()
                self.wake_commands()
            has_read |= self.handled > 0
            # Another program holds the checkpoints, or there is no more.
            if not self.handled:
                break
        # Not in a finally: where an exception ends the reading, the mark stays.
        reader.end()
        return has_read

    def look(self, session: Session) -> None:
        """Look at which generations are live; a read model is said to be old once."""
        self.readers.make_missing(session, live_generations(session))
        found = self.readers.find(session)
        self.subscriptions = found.subscriptions
        for name in found.outdated.keys() - self.outdated:
            say_outdated(found.outdated[name])
        self.outdated = set(found.outdated)

    def note_pass(self, done: SharedPass, seconds: float) -> None:
        if done.error is not None:
            # They were undone with it. Who failed is read alone next, and says why.
            self.readers.sent.clear()
        self.handled += sum(done.handled.values())

    def note_alone(
        self, subscription: Subscription, reached: CaughtUp, seconds: float
    ) -> None:
        name = subscription.name
        self.handled += reached.handled
        if reached.error is not None:
            self.failures[name] = reached.error
            say_stopped(name, reached.error)
            self.note_failure(name, reached.error)
        elif not reached.is_held and self.failures.pop(name, None) is not None:
            say_goes_on(name, reached.checkpoint)

"""Read for several subscriptions: together, or alone if one fails."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import psycopg

from eventstore.errors import ReaderEnded
from eventstore.signals import clear_signal
from eventstore.subscriptions.catch_up import CaughtUp, catch_up, lag
from eventstore.subscriptions.pass_marks import leave_mark, mark, remove_mark
from eventstore.subscriptions.setting_apart import (
    find_next_tries,
    find_not_put_off,
    set_apart,
)
from eventstore.subscriptions.shared_pass import SharedPass, read_together
from eventstore.subscriptions.stop_reasons import WAITS, kind_of, note_stop
from eventstore.subscriptions.subscription import Subscription

SECONDS_ALONE = 0.25
"""Seconds, to the end of a batch, for which the others wait for one read alone."""

MAX_PASSES_AHEAD = 10
"""Passes of the others while one that is to be read alone waits."""

ReportAlone = Callable[[Subscription, CaughtUp, float], None]
ReportPass = Callable[[SharedPass, float], None]


@dataclass
class Reader:
    """
    Reads the log for several subscriptions, over one connection in autocommit.

    They are read in shared passes. One that fails is read alone and set apart, so the
    others wait for it once; so is one that has ended the process that read it. Between
    `begin` and `end` a mark names those that are read: if `end` is not reached, the
    next reader reads each of them alone.

    *report_pass* gets each shared pass, *report_alone* the result of one that was read
    alone, both with the seconds that it took. *interruptions* are the errors that a
    runner's own time limit raises.
    """

    connection: psycopg.Connection
    report_pass: ReportPass = lambda *_: None
    report_alone: ReportAlone = lambda *_: None
    interruptions: tuple[type[Exception], ...] = ()
    # To be read alone before the next pass: one of them may end this process, too.
    suspects: set[str] = field(default_factory=set)
    # Set apart, and to be tried alone after it.
    due: set[str] = field(default_factory=set)
    # To be read alone when the others have come to the end, and their passes so far.
    alone: set[str] = field(default_factory=set)
    passes: int = 0

    def begin(self, subscriptions: Sequence[Subscription]) -> None:
        """Mark who is read, and find who is to be read alone first."""
        names = names_of(subscriptions)
        for ended in leave_mark(self.connection, names):
            # A process may also be ended from outside: only who ends a second one, read
            # alone, is the cause. It is tried once more where that cannot be noted.
            if ended.is_trial and note_stop(
                self.connection, ended.names[0], ReaderEnded()
            ):
                set_apart(self.connection, ended.names[0])
            else:
                self.suspects.update(ended.names)
        self.due = find_next_tries(self.connection, names)

    def end(self) -> None:
        """Remove the mark; not to be called where an exception ended the reading."""
        remove_mark(self.connection)

    def read(
        self, subscriptions: Sequence[Subscription], *, is_brief: bool = False
    ) -> SharedPass:
        """
        Read one batch together, and alone what cannot be; return the shared pass.

        Those that cannot be read with the others wait until these have come to the end,
        or for ten passes: each takes its time from all others.
        With *is_brief* those to be read alone are left to another call, and so are all
        if the pass failed: each of them may take long.
        """
        self.read_alone(subscriptions, self.suspects, is_trial=True)
        self.suspects = set()
        started = time.monotonic()
        together = [one for one in subscriptions if one.name not in self.alone]
        done = read_together(
            self.connection, together, interruptions=self.interruptions
        )
        self.report_pass(done, time.monotonic() - started)
        if is_brief:
            return done
        if done.error is None:
            self.alone.update(done.to_read_alone)
            self.passes += 1
            if done.is_last or self.passes >= MAX_PASSES_AHEAD:
                self.read_alone(subscriptions, self.alone, done.checkpoint)
                self.alone, self.passes = set(), 0
        else:
            self.due |= find_not_put_off(self.connection, names_of(subscriptions))
        self.read_alone(subscriptions, self.due, is_trial=True)
        self.due = set()
        return done

    def has_more(self, subscriptions: Sequence[Subscription], signal: str) -> bool:
        """
        Take the flag *signal* down, and return whether there is something to read.

        What is appended from now on raises it again.
        """
        with self.connection.pipeline():
            clear_signal(self.connection, signal)
            return lag(self.connection, names_of(subscriptions)) > 0

    def read_alone(
        self,
        subscriptions: Sequence[Subscription],
        names: Collection[str],
        up_to: int | None = None,
        *,
        is_trial: bool = False,
    ) -> None:
        """
        Read those called *names* in their order, each in transactions of its own.

        *up_to* is the position that the others have reached. One that does its work in
        no steps may wait for them, and is not to run ahead. With *is_trial* one that
        ends the process is known as the cause.
        """
        chosen = [one for one in subscriptions if one.name in names]
        for subscription in chosen:
            started = time.monotonic()
            mark(self.connection, [subscription.name], is_trial=is_trial)
            reached = catch_up(
                self.connection,
                subscription,
                seconds=SECONDS_ALONE,
                up_to=up_to if subscription.work is None else None,
                interruptions=self.interruptions,
            )
            if reached.error is not None and kind_of(reached.error) != WAITS:
                set_apart(self.connection, subscription.name)
            self.report_alone(subscription, reached, time.monotonic() - started)
        if chosen:
            mark(self.connection, names_of(subscriptions))


def names_of(subscriptions: Sequence[Subscription]) -> list[str]:
    return [subscription.name for subscription in subscriptions]

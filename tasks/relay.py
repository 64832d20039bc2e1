"""
The relay: keeps the promise without the broker; it needs PostgreSQL alone.

It runs commands that have become due, and waiting ones whose message is lost (by the
database's function `lost_before`, which reads the workers' heartbeats), through the
function that the Celery task calls; and it catches up subscriptions that lag.
`python -m tasks.relay` starts it. Two relays are harmless. A second child sends the
events that webhooks want, while there are any: `tasks.webhooks.process`; a third
writes the stores that the settings name: `tasks.stores.process`; a fourth fills the
copies of the past that are wanted: `tasks.past.process`.
"""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from ctypes import c_bool
from multiprocessing.sharedctypes import Synchronized
from types import FrameType
from typing import NamedTuple
from uuid import UUID

import psycopg
import sqlalchemy as sa

from eventstore.journal.take import find_waiting
from eventstore.past.wishes import has_work
from eventstore.projections.generations import note_code_of_rows
from tasks import catch_up, commands
from tasks.app import TIME_LIMIT, limit_memory
from tasks.child_process import ChildProcess
from tasks.heartbeat import processes, pulse
from tasks.other_children import OtherChildren
from tasks.shop.logging import log_to_stderr
from tasks.shop.startup_checks import refuse_what_loses_data
from tasks.shop.wiring import Shop, shop
from tasks.webhooks.progress import has_active

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a command waits for its message, a subscription for its task."""
SWEEP_EVERY = 0.25
"""Seconds between sweeps: commands that two sweeps have found are run."""
SECONDS_BETWEEN_LOOKS = 0.2
"""Between checks of the child by its parent."""
LOOKS_UNTIL_STILL = 5
STREAMS_A_SWEEP = 100
STREAMS_TOGETHER = 20
"""Streams drained in one commit: without a broker, the relay runs every command."""


def main(wiring: Callable[[], Shop] = shop) -> None:
    """
    Keep a child at work until TERM; start another when it dies or does not return.

    The child runs the commands: one that never returns, takes all memory or kills its
    process ends the child and not the relay. This process has no connection, so the
    fork shares none.
    """
    settings = wiring().settings
    log_to_stderr(settings.log_level, settings.log_format)
    refuse_what_loses_data(wiring())
    # Before the fork: of the code that is loaded, and once for all children.
    wiring().deciders.compute_fingerprints()
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    context = multiprocessing.get_context("fork")
    others = OtherChildren(context, wiring)
    while not stop.is_set():
        busy_since = context.Value("d", 0.0)
        pulses = pulse.Pulses()
        child = context.Process(
            target=work,
            args=(wiring, busy_since, pulses, others.wanted, os.getpid()),
        )
        child.start()
        watch(child, busy_since, pulses, stop, others.all)
        if not stop.is_set():
            log.error("child died exitcode=%s", child.exitcode)
            stop.wait(0.1)
    for other in others.all:
        other.end()


def watch(
    child: multiprocessing.process.BaseProcess,
    busy_since: "Synchronized[float]",
    pulses: pulse.Pulses,
    stop: threading.Event,
    others: Sequence[ChildProcess],
) -> None:
    """
    Wait until the child has ended; meanwhile tend the *others*.

    Kill it when a piece of work takes too long, or when it has no pulse: by then the
    server has released its locks.
    """
    looks_still = 0
    while child.is_alive():
        if stop.is_set():
            for other in others:
                other.ask_to_end()
            child.terminate()
            child.join(TIME_LIMIT)
        else:
            for other in others:
                other.tend()
        started = busy_since.value
        if started and time.monotonic() - started > TIME_LIMIT:
            log.error("child killed after %d s with one piece of work", TIME_LIMIT)
            child.kill()
        # Not at the first look: this process may itself have been stopped until now.
        looks_still = looks_still + 1 if pulses.count_still(1) else 0
        if looks_still > LOOKS_UNTIL_STILL:
            log.error("child killed, which did not move")
            child.kill()
        child.join(SECONDS_BETWEEN_LOOKS)


def work(
    wiring: Callable[[], Shop],
    busy_since: "Synchronized[float]",
    pulses: pulse.Pulses,
    wanted: Sequence[c_bool],
    parent: int,
) -> None:
    """Sweep until *stop* is set; what the child does."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    limit_memory()
    pulse.begin(pulses, 0)
    relay = Relay(wiring(), busy_since, *wanted)
    # The child's heartbeat, since it does the work: if it does not return, it still
    # beats, and its parent kills it.
    processes.begin(relay.shop, "relay")
    # A parent that was killed cannot send TERM.
    while not stop.is_set() and os.getppid() == parent:
        try:
            relay.sweep(stop)
            stop.wait(SWEEP_EVERY)
        except Exception as error:
            # The database is away, or a drain was interrupted: sweep again.
            is_away = isinstance(error, commands.DatabaseAway | psycopg.Error)
            is_outage = is_away or isinstance(error, sa.exc.DBAPIError)
            log.warning(
                "sweep failed error=%s",
                type(error).__name__,
                # Any other error is a bug: log its traceback.
                exc_info=None if is_outage else error,
            )
            stop.wait(1.0)
        finally:
            busy_since.value = 0.0
    processes.end()


class SeenReaders(NamedTuple):
    """
    *stands_still*: a subscription lags and has not moved since the last look.

    *has_stopped*: one has stopped with an error, and its next try may be due, which
    nothing else begins in a shop without beat and without commands.
    """

    stands_still: bool = False
    has_stopped: bool = False


class Relay:
    """The child's state from one sweep to the next."""

    def __init__(
        self,
        shop: Shop,
        busy_since: "Synchronized[float]",
        webhooks_wanted: c_bool | None = None,
        copies_wanted: c_bool | None = None,
    ) -> None:
        self.shop = shop
        self.busy_since = busy_since
        self.webhooks_wanted = webhooks_wanted
        self.copies_wanted = copies_wanted
        self.checkpoints: dict[str, int] = {}
        self.next_look = 0.0
        self.has_noted_code = False
        # By stream, the command whose turn it was at the last sweep.
        self.heads: dict[str, UUID] = {}

    def sweep(self, stop: threading.Event) -> None:
        """Drain streams with waiting commands, and catch up subscriptions that lag."""
        self.note_code()
        self.look_for_copies()
        after_stream = ""
        has_signalled = False
        heads: dict[str, UUID] = {}
        while not stop.is_set():
            with self.shop.lent() as connection:
                waiting = find_waiting(
                    connection,
                    patience=PATIENCE - SWEEP_EVERY,
                    most=STREAMS_A_SWEEP,
                    after_stream=after_stream,
                )
            heads.update(waiting)
            # If a worker drains the stream, another command's turn has come since. If
            # it has just released it, it sends a message first.
            ours = [id_ for stream, id_ in waiting if self.heads.get(stream) == id_]
            for start in range(0, len(ours), STREAMS_TOGETHER):
                if stop.is_set():
                    return
                self.busy_since.value = time.monotonic()
                has_signalled |= self.run(ours[start : start + STREAMS_TOGETHER])
            if waiting:
                after_stream = waiting[-1][0]
            self.busy_since.value = time.monotonic()
            seen = self.look_at_readers()
            if has_signalled or seen.stands_still or seen.has_stopped:
                in_turn = not seen.stands_still
                catch_up.run(self.shop, in_turn=in_turn, tell=nobody_is_told)
            self.busy_since.value = 0.0
            if len(waiting) < STREAMS_A_SWEEP:
                break
        self.heads = heads

    def run(self, command_ids: Sequence[UUID]) -> bool:
        """
        Drain the streams of the commands; return whether there are events to read.

        The next sweep finds commands that are left. Nothing is published: a frozen
        broker must not slow down the relay.
        """
        try:
            ran = commands.run(self.shop, command_ids, ran_by="relay")
        except commands.DatabaseAway:
            raise
        except Exception:
            # One stream that cannot be drained must not hold up the others.
            log.exception("drain failed command_id=%s", command_ids[0])
            if len(command_ids) == 1:
                return False
            # No short circuit: drain them all.
            return max([self.run([command_id]) for command_id in command_ids])
        return ran.has_signalled

    def look_at_readers(self) -> SeenReaders:
        """Return whether the relay has to read the log, once in *PATIENCE* seconds."""
        if time.monotonic() < self.next_look:
            return SeenReaders()
        self.next_look = time.monotonic() + PATIENCE
        self.look_for_webhooks()
        standings = catch_up.find_live_standings(self.shop)
        before, self.checkpoints = (
            self.checkpoints,
            {standing.name: standing.checkpoint for standing in standings},
        )
        stands_still = not standings or any(
            standing.lag and before.get(standing.name) == standing.checkpoint
            for standing in standings
            if not standing.is_stopped
        )
        return SeenReaders(stands_still, any(one.is_stopped for one in standings))

    def look_for_webhooks(self) -> None:
        """Tell the parent that it has to keep a sender."""
        if self.webhooks_wanted is not None:
            with self.shop.lent() as connection:
                self.webhooks_wanted.value = has_active(connection)

    def note_code(self) -> None:
        """Note once that this code makes the live rows from here on, whoever did."""
        if not self.has_noted_code:
            with self.shop.lent() as connection:
                note_code_of_rows(connection, self.shop.projections)
            self.has_noted_code = True

    def look_for_copies(self) -> None:
        """Tell the parent that somebody wants to see the past."""
        if self.copies_wanted is not None:
            with self.shop.lent() as connection:
                self.copies_wanted.value = has_work(connection, self.shop.projections)


def nobody_is_told(shop: Shop, command_id: UUID) -> None:
    """Send nothing: the next sweep finds a process manager's commands, too."""


if __name__ == "__main__":
    main()

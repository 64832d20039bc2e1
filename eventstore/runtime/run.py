"""A program: a runtime that is started, and stopped in order by a signal."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Unpack

from eventstore.aggregates.decider import Deciders
from eventstore.errors.refusals import is_lost_connection
from eventstore.projections.projection import Projection
from eventstore.runtime.log import say_away
from eventstore.runtime.runtime import Runtime, RuntimeOptions
from eventstore.runtime.worker import SECONDS_TO_RECONNECT
from eventstore.subscriptions.process_manager import ProcessManager

SECONDS_BETWEEN_LOOKS = 0.1
"""Of the main thread, at whether a signal has come."""


def run(
    url: str,
    deciders: Deciders,
    projections: Sequence[Projection] = (),
    process_managers: Sequence[ProcessManager] = (),
    *,
    stop_seconds: float = 10.0,
    **options: Unpack[RuntimeOptions],
) -> None:
    """
    Keep read models, run process managers and commands until SIGTERM or SIGINT.

    *url* is the address of the database, as libpq takes it; *options* are those of
    `Runtime`. While the database is away it waits for it. At the first signal each
    thread ends what it is doing, within *stop_seconds*; a second signal ends the
    process at once. Run as many of such programs as you like.

    Raises what makes the start impossible, such as tables that are not installed; with
    `raises=True` also the error by which a read model or a process manager stands
    still.
    """
    runtime = Runtime(url, deciders, projections, process_managers, **options)
    with stop_signals() as asked:
        if start(runtime, asked):
            while not asked.has_come and not runtime.has_ended.wait(
                SECONDS_BETWEEN_LOOKS
            ):
                pass
            runtime.stop(stop_seconds)
    if runtime.error is not None:
        raise runtime.error


class StopSignal:
    """
    Whether a signal to stop has come.

    No event of `threading`: the very thread that is interrupted may hold its lock.
    """

    has_come = False


@contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Note SIGTERM and SIGINT in the block; the second one does what it did before."""
    asked = StopSignal()
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread may have handlers: it stops us in another way.
        yield asked
        return
    numbers = (signal.SIGTERM, signal.SIGINT)

    def note(_number: int, _frame: FrameType | None) -> None:
        asked.has_come = True
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield asked
    finally:
        restore()


def start(runtime: Runtime, asked: StopSignal) -> bool:
    """Start it as soon as the database is there; return False if asked to stop."""
    pause, longest = SECONDS_TO_RECONNECT
    while not asked.has_come:
        try:
            runtime.start()
            return True
        except Exception as error:
            if not is_lost_connection(error):
                raise
            say_away("start", error, pause)
        runtime.has_ended.wait(pause)
        pause = min(2 * pause, longest)
    return False

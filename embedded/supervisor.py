"""Keeps the children running, and stops them one after the other."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from embedded.child import GRACE, Child, Program
from embedded.console import Console
from embedded.errors import CannotStart, StopRequested
from embedded.logs import last_lines

PAUSE = 0.05
CRASH_LOOP = 3
SHOWN_LINES = 15

STOP_FIRST = ("web", "beat")
STOP_LAST = ("relay", "worker", "redis", "postgres")


@dataclass(slots=True)
class Supervisor:
    """The children of one `up`, in the order of their start, servers first."""

    console: Console
    on_change: Callable[["Supervisor"], None] = lambda supervisor: None
    children: list[Child] = field(default_factory=list)
    stop_requests: int = 0
    is_behind: bool = False

    def start(self, program: Program) -> Child:
        child = Child(program)
        self.children.append(child)
        child.start()
        self.note_change()
        return child

    @contextmanager
    def signals_caught(self) -> Iterator[None]:
        """Turn INT, TERM and HUP into a request to stop; a second one means hurry."""

        def note(number: int, frame: FrameType | None) -> None:
            self.stop_requests += 1

        caught = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup wants it
            caught.append(signal.SIGHUP)
        before = {number: signal.signal(number, note) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def tend(self) -> None:
        """Note children that have died, and start those whose pause is over."""
        for child in self.children:
            if child.note_death():
                if not child.is_stopping:
                    self.console.say(f"{child.name} {child.how_it_ended()}")
                    self.repair(child)
                self.note_change()
            if child.restart_if_due():
                if child.error:
                    self.console.say(f"{child.name} {child.how_it_ended()}")
                self.note_change()
            if child.has_become_unreachable():
                gone = child.program.needs
                self.console.say(f"{gone} is gone: {child.name} is started again")
                child.ask_to_end()
        if self.is_behind:
            self.note_change()

    def note_change(self) -> None:
        """Record a change; if that fails, as on a full disk, it is tried again."""
        try:
            self.on_change(self)
        except OSError as error:
            if not self.is_behind:
                self.console.say(f"status may be out of date: {error}; trying again")
            self.is_behind = True
            return
        self.is_behind = False

    def repair(self, child: Child) -> None:
        """Repair what keeps *child* from starting, before it is given up."""
        if child.deaths_in_a_row == CRASH_LOOP - 1 and (done := child.program.repair()):
            self.console.say(done)

    def tend_until(
        self, is_done: Callable[[], bool], *, what: str, within: float
    ) -> None:
        """
        Tend the children while we start, until *is_done*.

        Raises StopRequested on a signal, and CannotStart where a child dies again
        and again, or the time is over.
        """
        end = time.monotonic() + within
        while not is_done():
            self.tend()
            if self.stop_requests:
                raise StopRequested
            for child in self.children:
                if child.deaths_in_a_row >= CRASH_LOOP:
                    raise CannotStart(self.post_mortem(child))
            if time.monotonic() > end:
                raise CannotStart(f"{what} did not happen within {within:.0f} s")
            time.sleep(PAUSE)

    def tend_for_ever(self) -> None:
        """Tend the children until a signal asks to stop."""
        while not self.stop_requests:
            self.tend()
            time.sleep(PAUSE)

    def post_mortem(self, child: Child) -> str:
        log = child.program.log
        shown = "\n".join(f"  {line}" for line in last_lines(log, SHOWN_LINES))
        return (
            f"{child.name} cannot start: it {child.how_it_ended()},"
            f" {child.deaths_in_a_row} times. The end of {log}:\n{shown}"
        )

    def stop_all(self) -> None:
        """Stop the children, each when the one before it has ended."""
        for child in sorted(self.children, key=stop_order):
            self.stop(child)

    def stop(self, child: Child) -> None:
        """Ask *child* to stop, and kill it if it takes too long or we must hurry."""
        child.ask_to_stop()
        asked, is_killed = time.monotonic(), False
        while child.is_running:
            # Those whose turn comes later may still be needed: they are kept alive.
            self.tend()
            hurries = self.stop_requests > 1
            grace = child.program.hurried_grace if hurries else GRACE
            if not is_killed and time.monotonic() > asked + grace:
                self.console.say(f"{child.name} is killed: it did not end in time")
                child.end_group()
                is_killed = True
            time.sleep(PAUSE)
        self.note_change()


def stop_order(child: Child) -> int:
    """Return the rank of *child* in stopping: web first, the servers last."""
    if child.name in STOP_FIRST:
        return STOP_FIRST.index(child.name) - len(STOP_FIRST)
    return STOP_LAST.index(child.name) + 1 if child.name in STOP_LAST else 0

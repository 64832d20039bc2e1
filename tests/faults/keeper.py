"""Keeps the processes of a desk running, by the supervisor that `up` has as well."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from embedded.child import Child, Program
from embedded.console import Console
from embedded.processes import Process, in_session
from embedded.supervisor import Supervisor

T = TypeVar("T")
PAUSE = 0.03


@dataclass(slots=True)
class LogFile(Console):
    """What the supervisor says, in a file: the terminal is for the run's own table."""

    path: Path = Path(os.devnull)

    def show(self, text: str) -> None:
        with self.path.open("a") as log:
            print(text, file=log)


class Keeper:
    """
    A thread that starts the processes, and starts those again that die.

    It alone starts any: the kernel ends a process with the thread that started it.
    """

    def __init__(self, log: Path) -> None:
        self.supervisor = Supervisor(LogFile(path=log))
        self.lock = threading.RLock()
        self.jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.is_over = threading.Event()
        self.ending: dict[str, tuple[Process, signal.Signals]] = {}
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self.guarded, name="keeper", daemon=True)
        self.thread.start()

    def guarded(self) -> None:
        try:
            self.keep()
        except BaseException as failure:
            self.failure = failure

    def check(self) -> None:
        """Raise what has ended the thread, and with it all that it kept."""
        if self.failure is not None:
            raise RuntimeError("nobody keeps the processes any more") from self.failure

    def keep(self) -> None:
        while not self.is_over.wait(PAUSE):
            while not self.jobs.empty():
                self.jobs.get()()
            with self.lock:
                self.supervisor.tend()
                for child in self.supervisor.children:
                    # Who is struck again and again is no crash loop.
                    child.deaths_in_a_row = min(child.deaths_in_a_row, 1)

    def do(self, job: Callable[[], T]) -> T:
        """Return what *job* returns, done by this thread."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(job())
            except BaseException as error:
                done.set_exception(error)

        self.jobs.put(run)
        while not wait([done], timeout=1).done:
            self.check()
        return done.result()

    def start(self, programs: Iterable[Program]) -> None:
        self.do(lambda: [self.supervisor.start(program) for program in programs])

    @property
    def restarts(self) -> int:
        return sum(child.restarts for child in self.supervisor.children)

    def child(self, name: str) -> Child:
        return next(c for c in self.supervisor.children if c.name == name)

    def named(self, prefix: str) -> Sequence[str]:
        """Return the names that begin with *prefix*, in the order of their start."""
        names = [child.name for child in self.supervisor.children]
        return [name for name in names if name.startswith(prefix)]

    def leader(self, name: str) -> Process | None:
        """Return the process of that name, if it runs now."""
        with self.lock:
            return self.child(name).recorded

    def all_of(self, name: str) -> list[Process]:
        """Return the process of that name and those that it has started."""
        leader = self.leader(name)
        if leader is None:
            return []
        return sorted(in_session(leader.pid), key=lambda one: one != leader)

    def end(self, name: str, number: signal.Signals = signal.SIGTERM) -> bool:
        """Ask the process alone to end, as a service manager does, if it runs."""
        leader = self.leader(name)
        if leader is None:
            return False
        self.ending[name] = leader, number
        leader.send(number)
        return True

    def ask_again(self) -> None:
        """Ask again who has not ended: who was only beginning may not have heard."""
        for name, (leader, number) in self.ending.items():
            if leader.is_running():
                self.supervisor.console.say(f"{name} is asked to end once more")
                leader.send(number)

    def is_ending(self, name: str) -> bool:
        """Return whether it was asked to end, and has not done so yet."""
        asked = self.ending.get(name)
        return asked is not None and asked[0].is_running()

    def send_all(self, name: str, number: signal.Signals) -> bool:
        """Send a signal to the process and all that it has started, if it runs."""
        with self.lock:
            process = self.child(name).process
            if process is None or process.returncode is not None:
                return False
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
                return True
        return False

    def kill(self, name: str) -> bool:
        return self.send_all(name, signal.SIGKILL)

    def freeze(self, name: str) -> bool:
        return self.send_all(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.send_all(name, signal.SIGCONT)

    def hold(self, name: str) -> None:
        """Do not start it again, until it is let go."""
        with self.lock:
            self.child(name).is_stopping = True

    def let_go(self, name: str) -> None:
        with self.lock:
            child = self.child(name)
            child.is_stopping, child.start_at = False, 0.0

    def take_away(self, name: str) -> bool:
        """Kill it, and do not start it again until it is let go."""
        self.hold(name)
        return self.kill(name)

    def remove(self, name: str) -> None:
        """End it for good."""
        self.take_away(name)
        with self.lock:
            child = self.child(name)
            if child.process:
                child.process.wait()
            self.supervisor.children.remove(child)

    def close(self) -> None:
        """Kill everything, the servers too."""
        for name in self.named(""):
            self.hold(name)
        for name in self.named(""):
            self.thaw(name)
            is_server = name == "postgres"
            # Killed outright, its children would leave shared memory behind.
            self.send_all(name, signal.SIGQUIT if is_server else signal.SIGKILL)
        # The thread would look after what is waited for here.
        self.is_over.set()
        self.thread.join()
        for child in self.supervisor.children:
            if child.process:
                child.process.wait(30)

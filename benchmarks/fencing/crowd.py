"""The processes of a race: started, stopped for a while, killed, and started again."""

import itertools
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from benchmarks.fencing.reader import read_into_file, subscribe
from benchmarks.fencing.shared import END, FIGURES, GO_ON, Numbers, numbers
from benchmarks.fencing.writer import write

# Neither forks this process with its threads, nor imports everything each time.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["benchmarks.fencing.writer", "benchmarks.fencing.reader"]
)
ENDING = 300.0


@dataclass
class Member:
    """A place in the crowd; a killed process is replaced by another."""

    start: Callable[[], BaseProcess]
    process: BaseProcess = field(init=False)
    stopped_until: float = 0.0

    def __post_init__(self) -> None:
        self.process = self.start()

    def stop(self, seconds: float) -> None:
        self.signal(signal.SIGSTOP)
        self.stopped_until = time.monotonic() + seconds

    def go_on(self) -> None:
        self.signal(signal.SIGCONT)
        self.stopped_until = 0.0

    def replace(self) -> None:
        """Kill it, wherever it is, and put another in its place."""
        self.process.kill()
        self.process.join()
        self.stopped_until = 0.0
        self.process = self.start()

    def signal(self, number: signal.Signals) -> None:
        if self.process.pid is not None:
            os.kill(self.process.pid, number)


class Crowd:
    """Writers or readers, and the word by which all of them end."""

    def __init__(self) -> None:
        self.orders: Numbers = numbers(1)
        self.orders[0] = GO_ON
        self.members: list[Member] = []

    def join_in(self, target: Callable[..., None], *arguments: object) -> None:
        def start() -> BaseProcess:
            process = CONTEXT.Process(target=target, args=arguments)
            process.start()
            return process

        self.members.append(Member(start))

    def end(self) -> None:
        """Wait until all have ended, and check their exit statuses."""
        self.orders[0] = END
        until = time.monotonic() + ENDING
        for member in self.members:
            if member.stopped_until:
                member.go_on()
            member.process.join(max(0.0, until - time.monotonic()))
        codes = [member.process.exitcode for member in self.members]
        self.kill()
        if any(codes):
            raise RuntimeError(f"not every process ended well: {codes}")

    def kill(self) -> None:
        for member in self.members:
            if member.process.is_alive():
                member.process.kill()
                member.process.join()

    def go_on_where_due(self) -> None:
        now = time.monotonic()
        for member in self.members:
            if 0 < member.stopped_until < now:
                member.go_on()


class Writers(Crowd):
    """Writers, and the figures that they keep of themselves."""

    seeds = itertools.count(1)

    def __init__(self, url: str, count: int, largest: int) -> None:
        super().__init__()
        self.figures = [numbers(FIGURES) for _ in range(count)]
        for figures in self.figures:
            seed = next(self.seeds)
            self.join_in(write, url, seed, largest, self.orders, figures)

    def count(self, figure: int) -> int:
        return sum(figures[figure] for figures in self.figures)


class Readers(Crowd):
    """Readers with a checkpoint in the log's database, and with one in a file."""

    def __init__(self, url: str, names: list[str], files: list[Path]) -> None:
        super().__init__()
        for name in names:
            self.join_in(subscribe, url, name, self.orders)
        for file in files:
            self.join_in(read_into_file, url, os.fspath(file), self.orders)


def any_of(crowd: Crowd, chance: random.Random) -> Member:
    """Return a member that is at work."""
    return chance.choice([m for m in crowd.members if not m.stopped_until])

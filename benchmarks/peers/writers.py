"""Processes that append at the same time, each with connections of its own."""

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from benchmarks.peers.contenders import ALL, Contender

WARM_UP = 10
"""Appends before it counts, after which statements are prepared."""


class Run(NamedTuple):
    """What is to be measured: who, on which database, and for how long."""

    contender: str
    url: str
    seconds: float


class Rate(NamedTuple):
    """Events a second of all writers together, and how much of the cores was busy."""

    events: float
    busy: float


class Writers:
    """Writer processes, which wait for the events to append."""

    def __init__(self, lines: Sequence[Connection]) -> None:
        self.lines = lines

    def measure(self, run: Run, writers: int) -> Rate:
        """Let so many of them append at once, and return how fast they were."""
        lines = self.lines[:writers]
        for line in lines:
            line.send(run)
        for line in lines:
            line.recv()
        before = cpu_times()
        for line in lines:
            line.send("go")
        counts = [line.recv() for line in lines]
        return Rate(sum(counts) / run.seconds, busy_since(before))


@contextmanager
def started(count: int) -> Iterator[Writers]:
    """Start so many writers; they end with this."""
    context = multiprocessing.get_context("spawn")
    lines, processes = [], []
    for _ in range(count):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs,), daemon=True)
        process.start()
        lines.append(ours)
        processes.append(process)
    try:
        yield Writers(lines)
    finally:
        for line in lines:
            line.send(None)
        for process in processes:
            process.join()


def work(line: Connection) -> None:
    """Append as requested, until the request to end."""
    kinds = {kind.name: kind for kind in ALL}
    opened: dict[tuple[str, str], Contender] = {}
    while (run := line.recv()) is not None:
        key = (run.contender, run.url)
        if key not in opened:
            opened[key] = kinds[run.contender](run.url)
        for _ in range(WARM_UP):
            opened[key].append_next()
        line.send("ready")
        line.recv()
        line.send(count_appends(opened[key], run.seconds))


def count_appends(contender: Contender, seconds: float) -> int:
    until = time.perf_counter() + seconds
    appended = 0
    while time.perf_counter() < until:
        contender.append_next()
        appended += 1
    return appended


def cpu_times() -> list[int]:
    """Return what all cores together have done so far, as /proc/stat counts it."""
    with open("/proc/stat") as file:
        return [int(field) for field in file.readline().split()[1:9]]


def busy_since(before: Sequence[int]) -> float:
    spent = [now - then for now, then in zip(cpu_times(), before, strict=True)]
    # The fourth is idle, the fifth waits for the disk.
    return 1 - (spent[3] + spent[4]) / max(sum(spent), 1)

"""Who used how much of the processors, as /proc tells it."""

import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.commanding.desk import Desk
from embedded import processes

TICKS = os.sysconf("SC_CLK_TCK")
ITSELF, ITS_DEAD, ALL = slice(11, 13), slice(13, 15), slice(11, 15)
"""Where /proc/PID/stat, from the state on, has the time of a process and its dead."""


@dataclass
class Used:
    """Seconds of a processor that each kind of process used, in *seconds* of time."""

    seconds: float = 0.0
    by_kind: dict[str, float] = field(default_factory=dict)

    def __add__(self, other: "Used") -> "Used":
        return Used(self.seconds + other.seconds, summed(self.by_kind, other.by_kind))

    def per(self, count: int) -> str:
        """Return milliseconds of a processor for each of so many commands."""
        kinds = sorted(self.by_kind, key=self.by_kind.__getitem__, reverse=True)
        parts = [
            f"{kind} {1000 * self.by_kind[kind] / count:.2f}"
            for kind in kinds
            if self.by_kind[kind] / count >= 0.000_005
        ]
        cores = sum(self.by_kind.values()) / self.seconds if self.seconds else 0.0
        return f"{', '.join(parts)} ms; {cores:.2f} cores"


@contextmanager
def watched(desk: Desk) -> Iterator[Used]:
    """Yield what is used while this runs; it is known when it has ended."""
    used = Used()
    before, started = look(desk), time.monotonic()
    yield used
    used.seconds = time.monotonic() - started
    used.by_kind = summed(look(desk), {kind: -value for kind, value in before.items()})


def summed(*many: Mapping[str, float]) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for one in many:
        for kind, value in one.items():
            found[kind] += value
    return dict(found)


def look(desk: Desk) -> dict[str, float]:
    """Return what was used until now; that of children that have ended counts too."""
    found = defaultdict(float, {"this driver": time.process_time()})
    by_parent: dict[int, list[int]] = {}
    for process in processes.everything():
        by_parent.setdefault(processes.parent_of(process), []).append(process.pid)

    def below(pid: int) -> Iterator[int]:
        for child in by_parent.get(pid, ()):
            yield child
            yield from below(child)

    servers = desk.servers
    both = {"postgres": servers.cluster.process, "redis": servers.redis}
    for kind, server in both.items():
        if server is not None:
            found[kind] += used_by(server.pid) + sum(map(used_by, below(server.pid)))
    for running in desk.running:
        main, rest = running.name, running.name
        if running.name == "worker":
            main, rest = "worker (main)", "worker (task)"
        found[main] += used_by(running.pid, ITSELF)
        # Children that have ended, too: a worker gets new ones now and then.
        found[rest] += used_by(running.pid, ITS_DEAD)
        found[rest] += sum(map(used_by, below(running.pid)))
    return dict(found)


def used_by(pid: int, which: slice = ALL) -> float:
    fields = processes.stat_fields(pid)
    return sum(map(int, fields[which])) / TICKS if fields else 0.0

"""
How fast streams are loaded to their states, beside pyeventsourcing.

    ./recount bench load

The same small aggregate in both, with the same payments: a stream of 10 events, one of
10,000, and one of 10,000 with a snapshot at 9,990. In a log that has 10,000 other
events, and in one that has 1,000,000. Rounds take turns, and each ratio is of what was
measured in the same round. Exit status 0 is: it ran.
"""

import argparse
import gc
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.peers import server
from benchmarks.peers.loaders import Pyeventsourcing, Recount
from benchmarks.peers.table import Ratio, in_pairs, print_ratios, turns

SHORT, LONG, KEPT = "10 events", "long stream", "long, snapshot"
TAIL = 10


class Setting(NamedTuple):
    """Whose stream, of which kind, in a log of how many other events."""

    loader: str
    kind: str
    events: int


Times = Mapping[Setting, list[float]]


def main() -> int:
    options = parser().parse_args()
    if options.quick:
        options.sizes, options.length, options.rounds = [100, 1_000], 200, 2
    with (
        tempfile.TemporaryDirectory(prefix="recount-bench-") as folder,
        server.server(Path(folder)) as cluster,
    ):
        loads: dict[Setting, Callable[[], Any]] = {}
        peers = []
        for size, url in server.make_databases(cluster, options.sizes).items():
            peers.append(Pyeventsourcing(url))
            with Recount(url).connection as connection:
                server.fill_purses(connection, size)
            for loader in (Recount(url), peers[-1]):
                loads |= streams_of(loader, size, options.length)
            with Recount(url).connection as connection:
                connection.execute("VACUUM ANALYZE")
        times = measure(loads, options.rounds)
        for peer in peers:
            peer.close()
    report(times, options.length)
    print_ratios(ratios(times))
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recount bench load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--length", type=int, default=10_000, help="of a long stream")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[10_000, 1_000_000],
        help="other events in the log",
    )
    parser.add_argument("--quick", action="store_true", help="only whether it runs")
    return parser


def streams_of(
    loader: Recount | Pyeventsourcing, size: int, length: int
) -> dict[Setting, Callable[[], Any]]:
    """Make the three streams, and return what loads each of them."""
    made: dict[str, Any] = {
        SHORT: loader.make(TAIL),
        LONG: loader.make(length),
        KEPT: loader.make(length, snapshot_at=length - TAIL),
    }
    load: Callable[[Any], Any] = loader.load
    return {
        Setting(loader.name, kind, size): lambda stream=stream: load(stream)  # type: ignore[misc]
        for kind, stream in made.items()
    }


def measure(loads: Mapping[Setting, Callable[[], Any]], rounds: int) -> Times:
    """Load every stream in every round; return milliseconds."""
    times: dict[Setting, list[float]] = defaultdict(list)
    settings = [*loads]
    for setting in settings:
        for _ in range(6):
            loads[setting]()  # from here on its statements are prepared
    for number in range(rounds):
        for place in turns(len(settings), number):
            setting = settings[place]
            times[setting].append(timed(loads[setting], setting.kind))
    return times


def timed(load: Callable[[], Any], kind: str) -> float:
    """Return the median of some loads; a short one is repeated more often."""
    spent = []
    gc.collect()
    for _ in range(3 if kind == LONG else 60):
        started = time.perf_counter()
        load()
        spent.append(1000 * (time.perf_counter() - started))
    return median(spent)


def report(times: Times, length: int) -> None:
    print(f"milliseconds a load, median of the rounds; a long stream has {length:,}")
    for setting, some in sorted(times.items(), key=lambda item: item[0][2]):
        print(
            f"  {setting.events:9,} others in the log  {setting.kind:16}"
            f" {setting.loader:16} {median(some):9.3f}"
        )


def ratios(times: Times) -> list[Ratio]:
    """Return how the engine does, beside the other and its younger self."""
    sizes = sorted({setting.events for setting in times})
    found = []
    for size in sizes:
        ours = {kind: times[Setting("recount", kind, size)] for kind in KINDS}
        for kind in KINDS:
            theirs = times[Setting("pyeventsourcing", kind, size)]
            least = 4.0 if kind == LONG else None
            label = f"{size:,}, {kind}: times as fast as pyeventsourcing"
            found.append(Ratio(label, in_pairs(theirs, ours[kind]), least))
        label = f"{size:,}: time of {KEPT} / of {SHORT}"
        found.append(Ratio(label, in_pairs(ours[KEPT], ours[SHORT]), most=1.3))
    small, *larger = sizes
    for size in larger:
        for kind in KINDS:
            before, after = (times[Setting("recount", kind, s)] for s in (small, size))
            label = f"{kind}: rate at {size:,} / at {small:,}"
            found.append(Ratio(label, in_pairs(before, after), 0.9))
    return found


KINDS: Sequence[str] = (SHORT, LONG, KEPT)


if __name__ == "__main__":
    sys.exit(main())

"""
How fast commands are, beside an empty Celery task on the same broker and settings.

    ./recount bench commands
    ./recount bench commands --only "one by one"

It brings a PostgreSQL and a Redis of its own, set as the shop's, and the processes of
the shop's Procfile. Rounds take turns, and each ratio is of what was measured in the
same round. Exit status 0 is: it ran.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.commanding import (
    acceptance,
    breaking,
    journal_size,
    latency,
    one_by_one,
    queue,
    whole_way,
)
from benchmarks.commanding.servers import Servers, servers
from benchmarks.peers.table import Ratio, print_ratios

Part = Callable[[Servers, argparse.Namespace], list[Ratio]]
PARTS: Mapping[str, Part] = {
    "one by one": one_by_one.run,
    "whole way": whole_way.run,
    "journal": journal_size.run,
    "acceptance": acceptance.run,
    "latency": latency.run,
    "queue": queue.run,
    "breaking": breaking.run,
}


def main() -> int:
    options = parser().parse_args()
    # Parts take minutes: results are printed as they come, also to a file.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if options.quick:
        options.rounds, options.count, options.workers = 1, 60, [1, 2]
        options.sizes, options.waiting, options.seconds = [100, 1_000], 300, 1.0
    print(f"{os.cpu_count()} cores; {options.rounds} rounds")
    ratios = []
    with (
        tempfile.TemporaryDirectory(prefix="recount-bench-") as folder,
        servers(Path(folder)) as own,
    ):
        for name in options.only or PARTS:
            print(f"\n== {name}")
            ratios += PARTS[name](own, options)
    print_ratios(ratios)
    return 0


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recount bench commands",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=list(PARTS), metavar="PART")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=2_000, help="commands of a run")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[10_000, 100_000, 1_000_000],
        help="finished commands in the journal before",
    )
    parser.add_argument("--waiting", type=int, default=10_000, help="in the queue")
    parser.add_argument("--rate", type=float, default=100, help="a second, by HTTP")
    parser.add_argument("--seconds", type=float, default=6, help="of each such run")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--quick", action="store_true", help="only whether it runs")
    return parser


if __name__ == "__main__":
    sys.exit(main())

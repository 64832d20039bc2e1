"""
The list of orders rebuilt again and again, and what its readers notice of it.

    python benchmarks/load.py --rate 100 --seconds 60 &
    .venv/bin/python -m benchmarks.rebuilding again --times 3

Each rebuild is the command of an operator. It asks `./recount up` where it runs, and is
a process of its own: readers are not to wait for those who send. Exit status 0 is: each
rebuild was done, no look failed, and none saw an older row than one before it.
"""

import argparse
import time

from benchmarks.loading.list_readers import Readers
from embedded import handover

READERS = 3
PAGE = 100
COMMAND = ["rebuild", "order_list"]


def measure(options: argparse.Namespace) -> int:
    """Rebuild it so many times; return 1 if anything was wrong."""
    failed = 0
    took = []
    url = handover.environment()["DATABASE_URL"]
    with Readers(url, READERS, PAGE) as readers:
        time.sleep(options.pause)
        before = readers.longest
        for _ in range(options.times):
            started = time.monotonic()
            failed += handover.run(COMMAND) != 0
            took.append(f"{time.monotonic() - started:.1f}")
            time.sleep(options.pause)
    print(f"rebuilt          {options.times} times, in {', '.join(took)} s")
    print(f"looks            {readers.looks:,}, {len(readers.faults)} faults")
    for fault in readers.faults[:10]:
        print(f"  {fault[:300]}")
    print(
        f"longest look     {readers.longest * 1000:.0f} ms, {before * 1000:.0f} before"
    )
    print(f"longest silence  {readers.silence * 1000:.0f} ms, of all at once")
    return 1 if failed or readers.faults else 0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--pause", type=float, default=5, metavar="SECONDS")

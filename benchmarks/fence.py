"""
Writers and readers of one log, through every trouble there is: is an event missed?

    python -m benchmarks.fence --events 1000000

It brings PostgreSQL servers of its own. Exit status 0 is: each reader got exactly the
committed events, each once and in order.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.fencing.race import Race


def main() -> int:
    options = parser().parse_args()
    with tempfile.TemporaryDirectory(prefix="recount-fence-") as folder:
        race = Race(
            folder=Path(folder),
            events=options.events,
            writers=options.writers,
            subscriptions=options.subscriptions,
            foreign=options.foreign,
            largest=options.largest,
            crashes=options.crashes,
            fault_every=options.fault_every,
            seed=options.seed,
            say=lambda what: print(f"{time.monotonic() - started:6.1f} s  {what}"),
        )
        started = time.monotonic()
        race.run()
    report(race, time.monotonic() - started)
    return 0 if all(delivery.is_exact for delivery in race.deliveries) else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--subscriptions", type=int, default=8)
    parser.add_argument("--foreign", type=int, default=2, help="readers with a file")
    parser.add_argument(
        "--largest", type=int, default=200, help="events of one statement, at most"
    )
    parser.add_argument("--crashes", type=int, default=3)
    parser.add_argument("--fault-every", type=float, default=0.3, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    return parser


def report(race: Race, seconds: float) -> None:
    for name, count in sorted(race.counts.items()):
        print(f"  {name:26} {count:9,}")
    print(f"committed {race.committed:,} events in {seconds:.0f} s")
    for delivery in race.deliveries:
        print(
            f"  {delivery.reader:16} got {delivery.events:,}: missed {delivery.missed},"
            f" doubled {delivery.doubled}, out of order {delivery.disordered},"
            f" never committed {delivery.never_committed}"
        )


if __name__ == "__main__":
    sys.exit(main())

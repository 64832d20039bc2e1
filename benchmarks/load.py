"""
A load of all kinds of commands on a running shop, and how it bears it.

    python benchmarks/load.py --rate 100 --seconds 60

It asks `./recount up` where it runs; `--address`, `--database` and `--header` name
another. Exit status 0 is: no error, nothing rejected, no backlog that grew.
"""

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[1]))

from benchmarks.loading import backlog
from benchmarks.loading.connection import authorization_of
from benchmarks.loading.figures import in_milliseconds
from benchmarks.loading.load import ERRORS, Load
from embedded.handover import environment


def main() -> int:
    options = parser().parse_args()
    running = {} if options.address and options.database else environment()
    load = Load(
        address=options.address or f"http://127.0.0.1:{running.get('PORT', '5000')}",
        authorization=authorization_of(options.header, running),
        database_url=options.database or running["DATABASE_URL"],
        rate=options.rate,
        seconds=options.seconds,
        clients=options.clients,
        watched_share=options.watched,
    )
    print(f"{load.rate:g} commands a second for {load.seconds:g} s to {load.address}")
    try:
        load.run()
    except ERRORS as error:
        print(f"the shop could not be opened: {error!r}", file=sys.stderr)
        return 1
    report(load)
    return 0 if load.is_good else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--address", metavar="URL")
    parser.add_argument("--database", metavar="URL")
    parser.add_argument("--header", metavar="FILE", help="as for curl -H @FILE")
    parser.add_argument("--rate", type=float, default=100, metavar="PER_SECOND")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=16, metavar="CONNECTIONS")
    parser.add_argument(
        "--watched",
        type=float,
        default=0.03,
        metavar="SHARE",
        help="of the commands, how many are watched until the list shows them",
    )
    return parser


def report(load: Load) -> None:
    kinds = Counter(answer.type for answer in load.answers)
    for name, count in kinds.most_common():
        print(f"  {name:22} {count:6,}")
    print(f"accepted             {len(load.answers):,}, {len(load.errors)} errors")
    for error in load.errors[:10]:
        print(f"  {error[:300]}")
    print(f"ended                {dict(load.outcomes)}")
    print(f"due to accepted      {in_milliseconds([a.seconds for a in load.answers])}")
    print(f"accepted to visible  {in_milliseconds(load.visibility.seconds)}")
    waiting = max((look.waiting for look in load.looks), default=0)
    lag = max((look.lag for look in load.looks), default=0)
    print(f"most at one time     {waiting} waiting, read models {lag} behind")
    if backlog.grows(load.looks, load.rate):
        print("the backlog grew")
    print(f"all was done         {load.rest:.2f} s after the last was sent")


if __name__ == "__main__":
    sys.exit(main())

"""
Which web server slow clients cannot silence, and how fast each is, in one run.

    ./recount bench web
    ./recount bench web --only gthread ours --processes 1 2

It brings a PostgreSQL and a Redis of its own, fills a shop with the orders of the demo,
and lets each server serve it in turn.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.servers import servers
from benchmarks.serving import probes
from benchmarks.serving.candidate import OURS, Candidate
from benchmarks.serving.clients import Pages, count_reads
from benchmarks.serving.ending import Users
from benchmarks.serving.start import SERVERS
from tasks.shop.demo.client import Client
from tasks.shop.demo.running import Demo
from tests.support.processes import free_port
from tests.support.slow_clients import KINDS, Credentials, slow_clients

PAGE, READ = "/orders", "/api/orders/1"
Row = dict[str, str]


def main() -> int:
    options = parser().parse_args()
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    if options.quick:
        options.seconds, options.wait = 0.5, 1.0
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before")
    rows: dict[str, Row] = {}
    with (
        tempfile.TemporaryDirectory(prefix="recount-bench-") as folder,
        servers(Path(folder)) as own,
        desk(own, projections=True) as shop,
    ):
        Credentials.use(shop.environment["SECRET_KEY"])
        fill(shop)
        for name in options.only or [*SERVERS, OURS]:
            for count in options.processes:
                if count > 1 and name == "waitress":
                    continue
                label = f"{name} x{count}"
                print(f"\n== {label}, load {os.getloadavg()[0]:.1f}")
                log = Path(folder) / f"{label}.log"
                candidate = Candidate(name, count, free_port(), shop.environment, log)
                try:
                    rows[label] = measure(candidate, options)
                except (RuntimeError, OSError) as error:
                    rows[label] = {"failed": str(error)[-300:]}
                    print(rows[label])
                finally:
                    candidate.kill()
    print_table(rows)
    return 0


def fill(shop: Desk) -> None:
    """Tell the shop of the demo's orders, and leave no process of it running."""
    shop.start_all(1)
    token = shop.authorization.rpartition(" ")[2]
    with closing(Client(shop.address, token)) as client:
        Demo(client, "EUR", lambda _: None).run()
    shop.settle()
    shop.stop()


def measure(candidate: Candidate, options: argparse.Namespace) -> Row:
    row: Row = {}

    def tell(what: str, value: object) -> None:
        row[what] = str(value)
        print(f"  {what:32} {value}")

    port, seconds = candidate.port, options.seconds
    tell("seconds to the first answer", f"{candidate.start():.1f}")
    for path in (READ, PAGE):
        count_reads(port, path, 16, min(seconds, 1))
        tell(f"{path} a second", f"{count_reads(port, path, 16, seconds):.0f}")
    tell("MB", f"{candidate.megabytes():.0f}")
    tell("page, p50 and p99", Pages(port, PAGE).ask_for(seconds))
    if candidate.count == options.processes[0] and not options.reads:
        bother(candidate, options, tell)
    took: list[float] = []
    users = Users(port, PAGE)
    users.during(lambda: took.append(candidate.restart()), seconds)
    tell(
        "restart under load",
        f"{len(users.failures)} failed of {users.answered}, {users.again} again,"
        f" ended in {took[0]:.1f} s {sorted(set(users.failures))}",
    )
    return row


def bother(
    candidate: Candidate,
    options: argparse.Namespace,
    tell: Callable[[str, object], None],
) -> None:
    """See what slow clients and odd requests do to it."""
    port, seconds = candidate.port, options.seconds
    waiting = probes.WaitingClients(port, options.wait).start()
    for kind, count in KINDS.items():
        with slow_clients(port, kind, count):
            time.sleep(0.3)
            pages = Pages(port, PAGE).ask_for(seconds)
            health = Pages(port, "/healthz").ask_for(min(seconds, 1))
        tell(f"{count} {kind}", f"{pages}; healthz {health}")
    for name, statuses in probes.statuses_of(port).items():
        tell(name, statuses)
    for name, end in waiting.join().items():
        tell(f"one waits: {name}", end)


def print_table(rows: dict[str, Row]) -> None:
    print("\n| | " + " | ".join(rows) + " |")
    print("| --- |" + " --- |" * len(rows))
    names = dict.fromkeys(name for row in rows.values() for name in row)
    for name in names:
        values = (row.get(name, "") for row in rows.values())
        print(f"| {name} | " + " | ".join(values) + " |")


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="recount bench web",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", nargs="+", choices=[*SERVERS, OURS], metavar="SERVER")
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument(
        "--wait", type=float, default=65, help="seconds that connections lie idle"
    )
    parser.add_argument("--reads", action="store_true", help="no slow clients")
    parser.add_argument("--quick", action="store_true", help="only whether it runs")
    return parser


if __name__ == "__main__":
    sys.exit(main())

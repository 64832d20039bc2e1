"""
A rebuild of the list of orders while the whole shop works.

The shop has a database and a broker of its own, a history of that many events, its
worker, web, beat and relay. Commands of all kinds come at a steady rate, and readers
ask for the first page of the list by HTTP. Reported are the answers of readers before
and during the rebuild, how far off the estimates of its end were, and the swaps.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any

from benchmarks.commanding.desk import Desk
from benchmarks.commanding.servers import servers
from benchmarks.folding import CREATED, REGISTERED
from benchmarks.loading.connection import Connection
from benchmarks.loading.load import Load
from benchmarks.parking import CUSTOMERS, PAID, SHIPPED, write
from embedded.folders import ROOT
from embedded.logins import for_process

READS = 50.0
COMMANDS = 20.0
READERS = 8
PATH = "/api/orders?limit=50"
SLICE = 50_000
"""Orders that one statement appends."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--before", type=float, default=60, metavar="SECONDS")
    parser.add_argument("--processes", default="1,2", help="of each rebuild")


@dataclass
class Reads:
    """Readers at a steady rate; what each saw, and when."""

    address: str
    authorization: str
    seconds: list[tuple[float, float]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    newest: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, number: int) -> None:
        connection = Connection(self.address, self.authorization)
        begun = time.monotonic() + number / READS
        turn = 0
        while not self.stopped.is_set():
            due = begun + turn * READERS / READS
            turn += 1
            time.sleep(max(due - time.monotonic(), 0))
            self.look(connection, due)

    def look(self, connection: Connection, due: float) -> None:
        with self.lock:
            least = self.newest
        try:
            status, body = connection.get(PATH)
            rows = body["orders"] if status == 200 else []
        except (OSError, HTTPException, ValueError, KeyError) as error:
            self.faults.append(repr(error))
            return
        ended = time.monotonic()
        with self.lock:
            self.seconds.append((ended, ended - due))
            numbers = [row["order_id"] for row in rows]
            if status != 200:
                self.faults.append(f"{status} {str(body)[:100]}")
            elif len(numbers) < 50 or max(numbers) < least:
                self.faults.append(f"{len(numbers)} rows up to {max(numbers)}, {least}")
            else:
                self.newest = max(self.newest, *numbers)

    def between(self, start: float, end: float) -> list[float]:
        return sorted(took for at, took in self.seconds if start <= at <= end)


@contextmanager
def reading(address: str, authorization: str) -> Iterator[Reads]:
    reads = Reads(address, authorization)
    threads = [
        threading.Thread(target=reads.run, args=(number,)) for number in range(READERS)
    ]
    for thread in threads:
        thread.start()
    try:
        yield reads
    finally:
        reads.stopped.set()
        for thread in threads:
            thread.join()


@contextmanager
def commands_flowing(desk: Desk) -> Iterator[Load]:
    load = Load(
        desk.address,
        desk.authorization,
        desk.environment["DATABASE_URL"],
        COMMANDS,
        seconds=36_000,
        clients=8,
        tell=lambda _: None,
    )
    thread = threading.Thread(target=load.run)
    thread.start()
    try:
        yield load
    finally:
        load.stopped.set()
        thread.join()


def measure(options: argparse.Namespace) -> int:
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="recount-bench-") as folder,
        servers(Path(folder)) as own,
    ):
        desk = Desk(own, projections=True)
        try:
            make_history(desk, (options.events - CUSTOMERS) // 3)
            desk.start_all(3)
            failed = run(desk, options)
        finally:
            desk.stop()
    return failed


def make_history(desk: Desk, orders: int) -> None:
    """Append the events of so many orders, and have the read models read them."""
    with desk.connect() as connection:
        write(connection, REGISTERED, last=CUSTOMERS - 1)
        for first in range(1, orders + 1, SLICE):
            last = min(first + SLICE - 1, orders)
            write(connection, CREATED, first=first, last=last, customers=CUSTOMERS)
            write(connection, PAID, first=first, last=last)
            write(connection, SHIPPED, first=first, last=last, every=orders + 1)
        connection.execute("SELECT setval('order_numbers', %s)", (orders,))
        connection.execute("VACUUM ANALYZE events")
    started = time.monotonic()
    done = cli(desk, "rebuild", "--all", "--processes", "2")
    print(f"first filling of all read models: {time.monotonic() - started:.0f} s")
    assert done.returncode == 0, done.stderr


def cli(desk: Desk, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env={**os.environ, **for_process("operator", desk.environment)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def run(desk: Desk, options: argparse.Namespace) -> int:
    failed = 0
    with (
        reading(desk.address, desk.authorization) as reads,
        commands_flowing(desk) as load,
    ):
        time.sleep(10)
        visible = load.visibility.seconds
        start, first = time.monotonic(), len(visible)
        time.sleep(options.before)
        end = time.monotonic()
        report("before", reads.between(start, end), visible[first:])
        for count in options.processes.split(","):
            before, first = commands_of(desk), len(visible)
            start = time.monotonic()
            done, estimates = rebuild(desk, count)
            end = time.monotonic()
            label = f"{count} process" if count == "1" else f"{count} processes"
            print(f"-- rebuild with {label}")
            failed += done.get("is_live") is not True
            print(
                f"took        {done['seconds']:.1f} s, swap"
                f" {done['milliseconds_of_swap']} ms, live rows held for"
                f" {done['comparison']['milliseconds_held']} ms,"
                f" {done['comparison']['differing']} rows differ"
            )
            report("during", reads.between(start, end), visible[first:])
            print(f"estimates   {errors_of(estimates, start, end)}")
            internal = commands_of(desk) - before
            print(f"commands of process managers meanwhile: {internal}")
            time.sleep(10)
        started = time.monotonic()
        answer = cli(desk, "rebuild", "order_list", "--rollback", "--json")
        back = json.loads(answer.stdout)
        print("-- roll back")
        print(
            f"took        {back['seconds'] * 1000:.0f} ms, swap"
            f" {back['milliseconds_of_swap']} ms; the command"
            f" {time.monotonic() - started:.1f} s"
        )
        time.sleep(5)
    print(f"reads       {len(reads.seconds):,}, failed or wrong {len(reads.faults)}")
    for fault in reads.faults[:5]:
        print(f"  {fault}")
    print(f"commands    {len(load.answers):,} answered, {len(load.errors)} errors")
    return 1 if failed or reads.faults else 0


def commands_of(desk: Desk) -> int:
    """Return how many commands the shop has sent itself."""
    with desk.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FROM commands WHERE principal LIKE 'process:%'"
        ).fetchone()
    return 0 if row is None else int(row[0])


def rebuild(
    desk: Desk, processes: str
) -> tuple[dict[str, Any], list[tuple[float, float]]]:
    """Rebuild the list; return the result, and estimates of the end with their time."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "cli", "rebuild", "order_list"),
            *("--processes", processes, "--json"),
        ],
        env={**os.environ, **for_process("operator", desk.environment)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    estimates = []
    with desk.connect() as connection:
        while process.poll() is None:
            row = connection.execute(
                """
                SELECT f.done::float8 / f.total, f.seconds_left
                FROM fillings AS f JOIN generations AS g USING (read_model)
                WHERE f.read_model = 'order_list' AND f.phase = 'filling'
                    AND f.seconds_left IS NOT NULL
                    AND f.generation = 'order_list_g' || (g.live + 1)
                """
            ).fetchone()
            if row is not None and row[0] >= 0.1:
                estimates.append((time.monotonic(), row[1]))
            time.sleep(0.5)
    assert process.stdout is not None
    return json.loads(process.stdout.read()), estimates


def errors_of(estimates: list[tuple[float, float]], start: float, end: float) -> str:
    """Return how far off they were, in parts of the whole time."""
    off = [abs(at + left - end) / (end - start) for at, left in estimates]
    if not off:
        return "none"
    return (
        f"{len(off)} from a tenth of the way on, off by {statistics.median(off):.0%} of"
        f" the whole time in the middle, {max(off):.0%} at most"
    )


def report(label: str, took: list[float], visible: list[float]) -> None:
    p50, p99 = took[len(took) // 2], took[len(took) * 99 // 100]
    print(
        f"{label:11} reads {len(took):,}, p50 {p50 * 1000:.0f} ms, p99"
        f" {p99 * 1000:.0f} ms, longest {took[-1] * 1000:.0f} ms",
        flush=True,
    )
    if seen := sorted(visible):
        print(
            f"{'':11} accepted to visible p50 {seen[len(seen) // 2] * 1000:.0f} ms,"
            f" p99 {seen[len(seen) * 99 // 100] * 1000:.0f} ms, of {len(seen)}"
        )

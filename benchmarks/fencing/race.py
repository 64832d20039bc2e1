"""A race: writers against readers, through crashes and a restore, and who got what."""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.fencing.cluster import Cluster
from benchmarks.fencing.crowd import Crowd, Readers, Writers
from benchmarks.fencing.reader import DELIVERED, ids_delivered, ids_in_file
from benchmarks.fencing.shared import CUT_OFF, EVENTS, ROLLED_BACK, WAYS
from benchmarks.fencing.trouble import Trouble, finish_prepared
from benchmarks.fencing.writer import INSERT

Connection = psycopg.Connection[Any]

SHARE_AFTER_RESTORE = 0.05
SAY_EVERY = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The events that one reader got, compared with the log."""

    reader: str
    events: int
    missed: int
    doubled: int
    disordered: int
    never_committed: int

    @property
    def is_exact(self) -> bool:
        wrong = self.missed + self.doubled + self.disordered + self.never_committed
        return wrong == 0


@dataclass(kw_only=True)
class Race:
    """How it is run, and what came of it."""

    folder: Path
    events: int
    writers: int = 16
    subscriptions: int = 8
    foreign: int = 2
    largest: int = 10
    crashes: int = 1
    fault_every: float = 0.1
    seed: int = 1
    # Spoils the log on purpose, before anybody writes.
    spoil: Callable[[Connection], object] = lambda _: None
    say: Callable[[str], None] = lambda _: None

    counts: Counter[str] = field(default_factory=Counter)
    committed: int = 0
    deliveries: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.names = [f"subscription {n}" for n in range(1, self.subscriptions + 1)]
        self.files = [self.folder / f"foreign {n}" for n in range(1, self.foreign + 1)]

    @property
    def missed(self) -> int:
        return sum(delivery.missed for delivery in self.deliveries)

    def run(self) -> None:
        """Run on a server that crashes, then on another that is restored from it."""
        first, second = Cluster(self.folder / "first"), Cluster(self.folder / "second")
        try:
            first.start()
            first.install()
            with first.connect() as connection:
                self.prepare(connection)
            self.run_on_first(first, second)
            self.run_on_second(second)
            with second.connect() as connection:
                self.examine(connection)
        finally:
            first.destroy()
            second.destroy()

    def prepare(self, connection: Connection) -> None:
        connection.execute(DELIVERED)
        connection.execute("CREATE TABLE unrelated (text text)")
        for name in self.names:
            connection.execute("INSERT INTO subscriptions (name) VALUES (%s)", (name,))
        self.spoil(connection)

    def run_on_first(self, first: Cluster, second: Cluster) -> None:
        """Most of the race, with its crashes; the dump is taken while readers read."""
        goal = int(self.events * (1 - SHARE_AFTER_RESTORE))
        readers = Readers(first.url, self.names, self.files)
        writers = Writers(first.url, self.writers, self.largest)
        with ended_at_last(writers, readers):
            with self.trouble(first, writers, readers):
                for number in range(self.crashes):
                    with unrelated_transaction(first):
                        self.wait_for(
                            writers, goal * (number + 1) // (self.crashes + 1)
                        )
                        self.crash(first)
                with unrelated_transaction(first):
                    self.wait_for(writers, goal * 9 // 10)
                    leave_behind(first)
                    self.wait_for(writers, goal)
            writers.end()
            self.finish_prepared(first)
            self.say("dump and restore into a new cluster")
            second.start()
            second.restore_from(first, self.folder / "dump")
            self.counts["dumped and restored"] += 1
            readers.end()
        self.add_up(writers)
        first.end()

    def run_on_second(self, second: Cluster) -> None:
        readers = Readers(second.url, self.names, self.files)
        writers = Writers(second.url, self.writers, self.largest)
        with ended_at_last(writers, readers):
            with self.trouble(second, writers, readers), unrelated_transaction(second):
                self.wait_for(writers, int(self.events * SHARE_AFTER_RESTORE))
            writers.end()
            self.finish_prepared(second)
            readers.end()
        self.add_up(writers)

    @contextmanager
    def trouble(
        self, cluster: Cluster, writers: Writers, readers: Readers
    ) -> Iterator[None]:
        trouble = Trouble(
            cluster.url,
            writers,
            readers,
            every=self.fault_every,
            seed=self.chance.randrange(1 << 30),
        )
        with trouble:
            yield
        self.counts += trouble.counts

    def wait_for(self, writers: Writers, events: int) -> None:
        said = time.monotonic()
        while writers.count(EVENTS) < events:
            time.sleep(0.02)
            if time.monotonic() - said > SAY_EVERY:
                said = time.monotonic()
                self.say(f"{writers.count(EVENTS):,} of {self.events:,} events")

    def crash(self, cluster: Cluster) -> None:
        self.say("crash")
        cluster.crash()
        cluster.start()
        self.counts["server crashed"] += 1

    def finish_prepared(self, cluster: Cluster) -> None:
        with cluster.connect() as connection:
            self.counts += finish_prepared(connection, self.chance)

    def add_up(self, writers: Writers) -> None:
        for number, way in enumerate(WAYS):
            self.counts[f"way: {way}"] += writers.count(number)
        self.counts["rolled back"] += writers.count(ROLLED_BACK)
        self.counts["cut off while idle"] += writers.count(CUT_OFF)

    def examine(self, connection: Connection) -> None:
        """Compare the events that each reader got with the log at the end."""
        rows = connection.execute("SELECT id FROM events ORDER BY id").fetchall()
        log = [number for (number,) in rows]
        self.committed = len(log)
        for name in self.names:
            self.deliveries.append(delivery(name, ids_delivered(connection, name), log))
        for file in self.files:
            self.deliveries.append(delivery(file.name, ids_in_file(file), log))


def delivery(reader: str, got: list[int], log: list[int]) -> Delivery:
    committed, delivered = set(log), set(got)
    return Delivery(
        reader=reader,
        events=len(got),
        missed=len(committed - delivered),
        doubled=len(got) - len(delivered),
        disordered=sum(here > there for here, there in pairwise(got)),
        never_committed=len(delivered - committed),
    )


@contextmanager
def ended_at_last(*crowds: Crowd) -> Iterator[None]:
    """See that no process outlives a race that fails."""
    try:
        yield
    finally:
        for crowd in crowds:
            crowd.kill()


@contextmanager
def unrelated_transaction(cluster: Cluster) -> Iterator[None]:
    """Keep a transaction open that writes, though never to the log; it may crash."""
    connection = cluster.connect(autocommit=False)
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    connection.execute("INSERT INTO unrelated VALUES ('open all the while')")
    yield
    connection.close()


def leave_behind(cluster: Cluster) -> None:
    """Prepare an append that is never finished, and holds back readers from then on."""
    with cluster.connect(autocommit=False) as connection:
        connection.execute(INSERT, ("race-left-behind", 3))
        connection.execute("PREPARE TRANSACTION 'left behind'")

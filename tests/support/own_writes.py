"""Writers that ask for what they have just written, while others hold readers back."""

import queue
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from eventstore.log.append import NO_STREAM, append
from eventstore.projections.freshness import Freshness, wait_for
from eventstore.projections.projection import Projection
from eventstore.subscriptions.reader import Reader
from eventstore.subscriptions.subscription import Subscription
from tests.support.engine import added, connect

WRITERS = 8
ASKERS = 16
SHARE_ROLLED_BACK = 0.2
MAX_SECONDS_TO_COMMIT = 0.3
"""Seconds from an append to the end of its transaction, at most."""
MAX_SECONDS_TO_WAIT = 10.0
SECONDS_BETWEEN_PASSES = 0.005

Connection = psycopg.Connection[Any]


class Written(NamedTuple):
    """A committed event of a counter that nobody else writes to."""

    counter: str
    position: int


class Seen(NamedTuple):
    """The answer to a writer: how fresh the rows are, and whether its own is there."""

    freshness: Freshness
    has_row: bool
    seconds: float


Ask = Callable[[Connection, Projection, Written], tuple[Freshness, bool]]


def find_row(connection: Connection, projection: Projection, own: Written) -> bool:
    row = connection.execute(
        f"SELECT FROM readmodels.{projection.name} WHERE counter = %s", (own.counter,)
    ).fetchone()
    return row is not None


def wait_then_read(
    connection: Connection, projection: Projection, own: Written
) -> tuple[Freshness, bool]:
    """Ask as the pages do: the checkpoint first, then the rows."""
    freshness = wait_for(
        connection, projection, own.position, seconds=MAX_SECONDS_TO_WAIT
    )
    return freshness, find_row(connection, projection, own)


def read_then_wait(
    connection: Connection, projection: Projection, own: Written
) -> tuple[Freshness, bool]:
    """Ask the other way round."""
    has_row = find_row(connection, projection, own)
    freshness = wait_for(
        connection, projection, own.position, seconds=MAX_SECONDS_TO_WAIT
    )
    return freshness, has_row


@dataclass
class OwnWrites:
    """
    A race of writers, of those who ask for them, and of one reader of the log.

    *url* is the database, *commands* how many transactions all writers make together.
    """

    url: str
    projection: Projection
    subscription: Subscription
    commands: int
    ask: Ask = wait_then_read
    seen: list[Seen] = field(default_factory=list)
    rolled_back: int = 0
    written: "queue.Queue[Written | None]" = field(default_factory=queue.Queue)
    numbers: "queue.Queue[int]" = field(default_factory=queue.Queue)
    has_ended: threading.Event = field(default_factory=threading.Event)
    errors: list[BaseException] = field(default_factory=list)

    @property
    def missed(self) -> int:
        """Answers that said it is there, without the writer's own event."""
        return sum(not s.freshness.behind and not s.has_row for s in self.seen)

    @property
    def shown(self) -> int:
        return sum(not s.freshness.behind and s.has_row for s in self.seen)

    def run(self) -> "OwnWrites":
        for number in range(self.commands):
            self.numbers.put(number)
        reader = self.start(self.read)
        askers = [self.start(self.ask_all) for _ in range(ASKERS)]
        writers = [self.start(self.write) for _ in range(WRITERS)]
        for thread in writers:
            thread.join()
        for _ in askers:
            self.written.put(None)
        for thread in askers:
            thread.join()
        self.has_ended.set()
        reader.join()
        if self.errors:
            raise self.errors[0]
        return self

    def start(self, work: Callable[[Connection], None]) -> threading.Thread:
        def keep_error() -> None:
            try:
                with connect(self.url) as connection:
                    work(connection)
            except BaseException as error:
                self.errors.append(error)

        thread = threading.Thread(target=keep_error)
        thread.start()
        return thread

    def write(self, connection: Connection) -> None:
        while True:
            try:
                number = self.numbers.get_nowait()
            except queue.Empty:
                return
            chance = random.Random(number)
            counter = f"c{number}"
            is_rolled_back = chance.random() < SHARE_ROLLED_BACK
            with connection.transaction(force_rollback=is_rolled_back):
                [appended] = append(
                    connection,
                    [(f"counter-{counter}", added(1))],
                    expected={f"counter-{counter}": NO_STREAM},
                )
                time.sleep(chance.uniform(0, MAX_SECONDS_TO_COMMIT))
            if is_rolled_back:
                self.rolled_back += 1
            else:
                self.written.put(Written(counter, appended.position))

    def ask_all(self, connection: Connection) -> None:
        while (own := self.written.get()) is not None:
            started = time.monotonic()
            freshness, has_row = self.ask(connection, self.projection, own)
            took = time.monotonic() - started
            self.seen.append(Seen(freshness, has_row, took))

    def read(self, connection: Connection) -> None:
        reader = Reader(connection)
        reader.begin([self.subscription])
        while not self.has_ended.is_set():
            reader.read([self.subscription])
            time.sleep(SECONDS_BETWEEN_PASSES)
        reader.end()

    def describe(self) -> str:
        waits = sorted(seen.seconds for seen in self.seen)
        p50, p99 = (waits[int(len(waits) * part)] for part in (0.5, 0.99))
        return (
            f"{self.commands:,} commands, {self.rolled_back:,} rolled back,"
            f" {len(self.seen):,} asked for: {self.shown:,} shown,"
            f" {len(self.seen) - self.shown - self.missed:,} told to be behind,"
            f" {self.missed:,} missed; waited p50 {p50:.3f}, p99 {p99:.3f},"
            f" at most {waits[-1]:.3f} s"
        )

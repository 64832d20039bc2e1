"""
Commands of all kinds at a steady rate, by HTTP, whether or not the shop keeps up.

Each is sent at its time, and its answer is timed from then: a shop that is slow for a
second cannot hide the commands that would have come in that second.
"""

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException

import psycopg

from benchmarks.loading import backlog
from benchmarks.loading.backlog import Backlog
from benchmarks.loading.connection import Connection
from benchmarks.loading.shop_life import Command, ShopLife
from benchmarks.loading.visibility import NotSeen, PendingCommand, Visibility

CUSTOMERS = 40
"""How many are registered before the clock starts."""
WATCHERS = 4
LOOK_AT_LIST = 0.5
TELL_EVERY = 5
ORDERS_LOOKED_AT = 200
MAX_SECONDS_OF_REST = 60.0
ERRORS = (OSError, HTTPException, ValueError, KeyError, NotSeen, psycopg.Error)


@dataclass(frozen=True, slots=True)
class RequestResult:
    """What became of a request: which command, the answer, and after how long."""

    type: str
    status: int
    command_id: str
    seconds: float


@dataclass
class Load:
    """One run: its rate and duration, the kinds of requests, and the results."""

    address: str
    authorization: str
    database_url: str
    rate: float
    seconds: float
    clients: int = 16
    watched_share: float = 0.03
    tell: Callable[[str], None] = print
    answers: list[RequestResult] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    looks: list[Backlog] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    visibility: Visibility = field(default_factory=Visibility)
    rest: float = 0.0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.chance = random.Random(7)
        self.life = ShopLife(f"L{uuid.uuid4().hex[:8]}", self.chance)
        self.numbers = iter(range(int(self.rate * self.seconds)))
        self.lock = threading.Lock()
        self.start = 0.0

    def run(self) -> None:
        """Send all, wait until all is done and seen, and see how each command ended."""
        self.open_the_shop()
        watchers = [self.thread(self.visibility.watch) for _ in range(WATCHERS)]
        others = [self.thread(self.read_the_list), self.thread(self.look_after)]
        self.start = time.monotonic()
        senders = [self.thread(self.send_on_time) for _ in range(self.clients)]
        join(senders)
        ended = time.monotonic()
        self.stopped.set()
        for _ in watchers:
            self.visibility.watched.put(None)
        join([*watchers, *others])
        self.wait_for_rest()
        self.rest = time.monotonic() - ended

    def thread(self, work: Callable[[Connection], None]) -> threading.Thread:
        """
        Start a thread with a connection of its own;

        collect its exceptions as errors.
        """

        def run() -> None:
            connection = Connection(self.address, self.authorization)
            try:
                work(connection)
            except ERRORS as error:
                self.errors.append(f"{work.__name__}: {error!r}")
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def open_the_shop(self) -> None:
        """Register the first customers, and wait until the list could show them."""
        connection = Connection(self.address, self.authorization)
        for _ in range(CUSTOMERS):
            command = self.life.register()
            _, body = connection.send(uuid.uuid4().hex, *command)
            watched = PendingCommand(body["id"], time.monotonic(), lambda: None)
            self.visibility.see(connection, watched)
            self.life.know(command.data["customer_id"])
        connection.close()

    def send_on_time(self, connection: Connection) -> None:
        while (due := self.next_time()) is not None:
            time.sleep(max(due - time.monotonic(), 0))
            self.send(connection, self.life.next(), due)

    def next_time(self) -> float | None:
        """Return when the next command is due, or None when that was the last."""
        with self.lock:
            number = next(self.numbers, None)
        if number is None or self.stopped.is_set():
            return None
        return self.start + number / self.rate

    def send(self, connection: Connection, command: Command, due: float) -> None:
        try:
            status, body = connection.send(uuid.uuid4().hex, *command)
        except ERRORS as error:
            self.errors.append(f"{command.type}: {error!r}")
            return
        now = time.monotonic()
        if status != 202:
            self.errors.append(f"{command.type}: {status} {body}")
            return
        self.answers.append(RequestResult(command.type, status, body["id"], now - due))
        if command.type == "RegisterCustomer":
            customer_id = command.data["customer_id"]
            self.watch(body["id"], now, lambda: self.life.know(customer_id))
        elif self.chance.random() < self.watched_share:
            self.watch(body["id"], now, lambda: None)

    def watch(self, command_id: str, since: float, then: Callable[[], None]) -> None:
        self.visibility.watched.put(PendingCommand(command_id, since, then))

    def read_the_list(self, connection: Connection) -> None:
        """Read the newest orders from time to time, as people in a shop do."""
        while not self.stopped.wait(LOOK_AT_LIST):
            status, body = connection.get(f"/api/orders?limit={ORDERS_LOOKED_AT}")
            if status != 200:
                self.errors.append(f"the list: {status} {body}")
                continue
            for order in reversed(body["orders"]):
                self.life.look(order)

    def look_after(self, _: Connection) -> None:
        """Measure the backlog each second, and print it from time to time."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while not self.stopped.wait(1.0):
                look = backlog.look(connection, time.monotonic() - self.start)
                self.looks.append(look)
                if len(self.looks) % TELL_EVERY == 0:
                    self.tell(
                        f"{look.seconds:5.0f} s  {len(self.answers):,} accepted,"
                        f" {len(self.errors)} errors,"
                        f" {look.waiting} waiting, read models {look.lag} behind"
                    )

    def wait_for_rest(self) -> None:
        """Wait until nothing is left to do, and ask how each command ended."""
        until = time.monotonic() + MAX_SECONDS_OF_REST
        ids = [answer.command_id for answer in self.answers]
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while any(backlog.look(connection, 0.0)[1:]):
                if time.monotonic() > until:
                    self.errors.append(
                        f"not all was done {MAX_SECONDS_OF_REST:.0f} s later"
                    )
                    break
                time.sleep(0.02)
            rows = connection.execute(
                "SELECT status, count(*) FROM public.commands"
                " WHERE id = ANY (%s::uuid[]) GROUP BY status",
                (ids,),
            )
            self.outcomes.update(dict(rows.fetchall()))

    @property
    def is_good(self) -> bool:
        """Whether all succeeded, none was refused, and nothing was left over."""
        return (
            not self.errors
            and set(self.outcomes) == {"succeeded"}
            and self.outcomes.total() == len(self.answers)
            and not backlog.grows(self.looks, self.rate)
        )


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join()

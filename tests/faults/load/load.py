"""
The load: clients that send commands of all kinds at a rate, whatever happens.

It is an open loop: each command has its time, and one that an outage held up is sent as
soon as it can be. The clients know the API alone, and tell `Answers` what they saw.
"""

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.faults.answers import Answers, Attempt
from tests.faults.load.client import Client, Line, is_answered
from tests.faults.load.courses import Order
from tests.faults.load.story import Command, Story

AGAIN = 0.02
"""This share of commands is sent once more with the same key, as by a double click."""
OTHER_CONTENT = 0.005
"""This share of keys comes again with other content, which is to be refused."""
WRONG = 0.005
"""This share of commands has a field that is wrong."""
TAKEN_BACK = 0.3
"""This share of what is scheduled is taken back, if it is not too late."""


@dataclass
class Load:
    """One load with its seed; the names of all it makes begin with *name*."""

    address: str
    answers: Answers
    seed: int
    seconds: float
    rate: float
    """Commands a second that are sent one by one, by all clients together."""
    batch_rate: float = 0.0
    """Commands a second that are sent in batches besides."""
    batch: int = 500
    clients: int = 12
    authorization: str = ""
    sent: int = 0
    judged: int = 0
    misjudged: list[str] = field(default_factory=list)
    """Keys of what is right and was not accepted at last, or is wrong and was."""
    failures: list[BaseException] = field(default_factory=list)
    clock_may_be_ahead: bool = False
    """What is for later may be refused then: its time has passed, for the database."""
    is_over: threading.Event = field(default_factory=threading.Event)
    """Set from outside, or where nobody answers: then it sends no more."""

    def __post_init__(self) -> None:
        self.name = f"S{self.seed}"
        self.numbers = itertools.count()
        self.lock = threading.Lock()
        self.start = 0.0

    def run(self) -> None:
        """Send all of it. Raises what a client met that is only its own fault."""
        self.start = time.monotonic()
        works = [self.client_of(number) for number in range(self.clients)]
        if self.batch_rate:
            works.append(self.send_batches)
        threads = [
            threading.Thread(target=self.guarded, args=(work,)) for work in works
        ]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        finally:
            # Interrupted: clients that went on would keep us from ending.
            self.is_over.set()
        for failure in self.failures:
            raise failure

    def guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as failure:
            self.failures.append(failure)
            self.is_over.set()

    def story(self, number: int) -> Story:
        chance = random.Random(f"{self.seed} {number}")
        return Story(self.name, number, self.clients, chance)

    def is_due(self, number: int, rate: float) -> bool:
        """Wait for the time of the command with this number; False after the last."""
        due = number / rate
        if due >= self.seconds:
            return False
        return not self.is_over.wait(max(0.0, self.start + due - time.monotonic()))

    def client(self) -> Client:
        return Client(self.address, self.answers, self.is_over, self.authorization)

    def judge(self, attempt: Attempt, *, is_right: bool = True) -> None:
        """Note what was not answered as it should be; stop where nobody answers."""
        with self.lock:
            self.judged += 1
        if (attempt.status == 202) is not is_right:
            self.misjudged.append(f"{attempt.key}: {attempt.status or attempt.problem}")
        if not is_answered(attempt.status):
            self.is_over.set()

    def client_of(self, number: int) -> Callable[[], None]:
        return lambda: self.send_singly(number)

    def send_singly(self, number: int) -> None:
        story = self.story(number)
        chance = random.Random(f"{self.seed} {number} mischief")
        client = self.client()
        placed: list[tuple[Order, str]] = []
        while self.is_due(next(self.numbers), self.rate):
            line = Line(f"{self.name}-{number}-{self.count()}", story.next())
            attempt = client.send(line)
            if not (self.clock_may_be_ahead and is_refused_for_its_time(line, attempt)):
                self.judge(attempt)
            if line.command.order is not None and attempt.command_id:
                placed.append((line.command.order, attempt.command_id))
            if (
                line.command.not_before
                and attempt.command_id
                and chance.random() < TAKEN_BACK
            ):
                client.take_back(line, attempt.command_id)
            self.make_mischief(client, line, chance)
            if placed and chance.random() < 0.5:
                find_number(client, story, placed)
        client.close()

    def count(self) -> int:
        with self.lock:
            self.sent += 1
            return self.sent

    def make_mischief(self, client: Client, line: Line, chance: random.Random) -> None:
        """Do now and then what clients do that are impatient, or wrong."""
        kind = chance.random()
        if kind < AGAIN:
            self.judge(client.send(line))
        elif kind < AGAIN + OTHER_CONTENT:
            other = {**line.command.data, "account_id": "SOMEBODY-ELSE", "amount": 77}
            again = client.send(Line(line.key, Command("Deposit", other)))
            self.judge(again, is_right=False)
        elif kind < AGAIN + OTHER_CONTENT + WRONG:
            data = {"account_id": "NOBODY", "amount": -1}
            wrong = client.send(Line(f"{line.key}-wrong", Command("Deposit", data)))
            self.judge(wrong, is_right=False)

    def send_batches(self) -> None:
        story = self.story(self.clients)
        client = self.client()
        opening = [Line(f"{self.name}-b-{n}", c) for n, c in enumerate(story.ready)]
        self.send_batch(client, opening, f"{self.name}-b-opening")
        story.ready.clear()
        for number in itertools.count():
            if not self.is_due(number, self.batch_rate / self.batch):
                break
            lines = [
                Line(f"{self.name}-b-{number}-{n}", story.next_of_batch())
                for n in range(self.batch)
            ]
            self.send_batch(client, lines, f"{self.name}-b-{number}")
        client.close()

    def send_batch(self, client: Client, lines: list[Line], key: str) -> None:
        for attempt in client.send_batch(lines, key):
            self.judge(attempt)


def is_refused_for_its_time(line: Line, attempt: Attempt) -> bool:
    return line.command.not_before is not None and attempt.status == 422


def find_number(client: Client, story: Story, placed: list[tuple[Order, str]]) -> None:
    """Ask for the oldest order that has no number yet, so that it can be driven on."""
    order, command_id = placed.pop(0)
    body = client.ask(f"/api/commands/{command_id}")
    if body is None or body["status"] in ("accepted", "scheduled"):
        placed.append((order, command_id))
    elif body["status"] == "succeeded":
        order.number = int(urlsplit(body["links"]["order"]).path.rsplit("/", 1)[1])
        story.keep(order)

"""Changes of rows by events of the log: steps of new orders, and renames."""

import json
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from benchmarks.following_rows import SUBSCRIPTIONS, life_of
from benchmarks.searched_rows import a_customer
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.events import Metadata, NewEvent
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.shared_pass import read_together

FIRST_NUMBER = 50_000_000
"""Behind the numbers of the rows that no event has made."""
AT_ONCE = 500
FIRST_RENAMED = 100
"""Customers before it are registered, and renamed by commands."""


class StreamEvent(NamedTuple):
    """An event of a stream: its type, its schema, and what JSON it has."""

    stream_id: str
    event: tuple[str, str, Any]


class Changes:
    """What happens in the shop on *connection*, which is the owner's."""

    def __init__(self, connection: psycopg.Connection[Any], customers: int) -> None:
        self.connection = connection
        self.customers = customers
        self.renamed = 0
        self.placed = 0
        self.steps: deque[StreamEvent] = deque()
        details = {"name": "Alice", "email": "alice@example.com"}
        registered = ("CustomerRegistered", "1.0", details)
        write(connection, [StreamEvent("customer-ALICE", registered)])
        self.fold()

    def place(self, count: int) -> None:
        """Place new orders; their payments, parcels and deliveries come later."""
        numbers = range(self.placed + 1, self.placed + count + 1)
        self.placed += count
        lives = {f"order-{FIRST_NUMBER + n}": life_of(n) for n in numbers}
        write(self.connection, (StreamEvent(s, life[0]) for s, life in lives.items()))
        self.fold()
        for step in (1, 2, 3):
            self.steps.extend(StreamEvent(s, life[step]) for s, life in lives.items())

    def step(self, count: int) -> None:
        """Let so many orders change their status by an event each."""
        write(self.connection, [self.steps.popleft() for _ in range(count)])
        self.fold()

    def rename(self, count: int) -> None:
        """Give so many customers another name, and thereby all rows of their orders."""
        write(self.connection, [self.renaming() for _ in range(count)])
        self.fold()

    def renaming(self) -> StreamEvent:
        self.renamed += 1
        least = min(FIRST_RENAMED, self.customers // 2)
        number = least + self.renamed % (self.customers - least)
        row = a_customer(number)
        details = {"name": f"{row.name} {self.renamed}", "email": row.email}
        event = ("CustomerDetailsChanged", "1.0", {**details, "phone": row.phone})
        return StreamEvent(f"customer-{row.customer_id}", event)

    def fold(self) -> None:
        """Bring all read models to the end of the log."""
        while True:
            done = read_together(self.connection, SUBSCRIPTIONS)
            if done.error is not None or done.to_read_alone:
                for subscription in SUBSCRIPTIONS:
                    reached = catch_up(self.connection, subscription)
                    if reached.error is not None:
                        raise reached.error
            elif done.is_last:
                return


def write(connection: psycopg.Connection[Any], told: Iterable[StreamEvent]) -> None:
    """Append events, many at once."""
    rest = iter(told)
    while some := list(islice(rest, AT_ONCE)):
        append(
            connection,
            [(one.stream_id, new_event(*one.event)) for one in some],
            expected={one.stream_id: ANY_VERSION for one in some},
        )


def new_event(type_: str, schema: str, data: Any) -> NewEvent:
    cause = uuid4()
    return NewEvent(
        type=type_,
        data=json.dumps(data),
        metadata=Metadata(
            event_id=uuid4(),
            correlation_id=cause,
            causation_id=cause,
            schema=schema,
            actor="local",
        ),
    )


def position_of(connection: psycopg.Connection[Any], names: Sequence[str]) -> int:
    """Return how far the read models with these *names* are, the last of them."""
    row = connection.execute(
        "SELECT min(checkpoint) FROM public.subscriptions WHERE name = ANY (%s)",
        ([f"{name}_g1" for name in names],),
    ).fetchone()
    assert row is not None
    return int(row[0])

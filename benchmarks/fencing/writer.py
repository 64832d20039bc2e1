"""A writer: a process that appends in every way there is, and often does not commit."""

import random
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.fencing.shared import CUT_OFF, END, EVENTS, ROLLED_BACK, WAYS, Numbers
from eventstore.log.append import append
from eventstore.log.events import Metadata, NewEvent

SHARE_ROLLED_BACK = 0.2
WEIGHTS = dict(zip(WAYS, (40, 5, 10, 12, 12, 20, 0.15, 0.85), strict=True))
SLOWNESS = 0.01
IDLE = 0.8
"""Seconds: more than the server's idle_in_transaction_session_timeout."""
PREPARED = "half of "

COLUMNS = "(stream_id, type, version, data, metadata, occurred_at)"
INSERT = f"""
    INSERT INTO events {COLUMNS}
    SELECT %s, 'Happened', n, '{{}}',
        jsonb_build_object('event_id', gen_random_uuid()), now()
    FROM generate_series(1, %s) AS n
"""


def write(
    url: str,
    seed: int,
    largest: int,
    orders: Numbers,
    figures: Numbers,
) -> None:
    """Append until told to end; a connection that is lost is opened again."""
    writer = Writer(random.Random(seed), largest, figures)
    while orders[0] != END:
        try:
            with psycopg.connect(url) as connection:
                while orders[0] != END:
                    writer.run_one(connection)
        except psycopg.errors.IdleInTransactionSessionTimeout:
            figures[CUT_OFF] += 1
        except psycopg.OperationalError:
            # The server is away, or has ended this session.
            time.sleep(0.05)


class Writer:
    """The state of a writer; *figures* are its results."""

    def __init__(self, chance: random.Random, largest: int, figures: Numbers) -> None:
        self.chance = chance
        self.largest = largest
        self.figures = figures
        self.ways: dict[str, Callable[[psycopg.Connection[Any], str], int]] = {
            "one insert": self.insert,
            "slow to commit": self.insert_slowly,
            "several inserts": self.insert_several_times,
            "savepoints": self.undo_half,
            "COPY": self.copy,
            "append": self.append,
            "left idle": self.leave_idle,
            "prepared": self.insert,
        }

    def run_one(self, connection: psycopg.Connection[Any]) -> None:
        """Run a transaction of a way of its own, and commit it or not."""
        (way,) = self.chance.choices(WAYS, weights=[WEIGHTS[way] for way in WAYS])
        # Unique among all writers, also after a kill and with the same seed.
        stream = f"race-{uuid4().hex}"
        events = self.ways[way](connection, stream)
        self.figures[WAYS.index(way)] += 1
        if way == "prepared":
            # Others finish it, and only they know how.
            connection.execute(f"PREPARE TRANSACTION '{PREPARED}{stream}'")
            connection.commit()
            return
        if self.chance.random() < SHARE_ROLLED_BACK:
            connection.rollback()
            self.figures[ROLLED_BACK] += 1
            return
        connection.commit()
        self.figures[EVENTS] += events

    def size(self) -> int:
        """Return how many events come at once: mostly few, and at times many."""
        return self.chance.choice((1, 1, 2, 3, self.largest // 10 + 1, self.largest))

    def pause(self) -> None:
        time.sleep(self.chance.uniform(0, SLOWNESS))

    def insert(self, connection: psycopg.Connection[Any], stream: str) -> int:
        size = self.size()
        connection.execute(INSERT, (stream, size))
        return size

    def insert_slowly(self, connection: psycopg.Connection[Any], stream: str) -> int:
        size = self.insert(connection, stream)
        self.pause()
        return size

    def insert_several_times(
        self, connection: psycopg.Connection[Any], stream: str
    ) -> int:
        times = self.chance.randint(2, 5)
        for number in range(times):
            connection.execute(INSERT, (f"{stream}-{number}", 1))
            self.pause()
        return times

    def undo_half(self, connection: psycopg.Connection[Any], stream: str) -> int:
        """Draw ids around and within savepoints, some of which are rolled back."""
        kept = 0
        if self.chance.random() < 0.5:
            kept += self.insert(connection, f"{stream}-before")
        for number in range(self.chance.randint(1, 3)):
            connection.execute(f"SAVEPOINT s{number}")
            size = self.insert(connection, f"{stream}-{number}")
            self.pause()
            if self.chance.random() < 0.6:
                connection.execute(f"ROLLBACK TO s{number}")
            else:
                connection.execute(f"RELEASE s{number}")
                kept += size
        return kept + self.insert(connection, f"{stream}-after")

    def copy(self, connection: psycopg.Connection[Any], stream: str) -> int:
        size = self.size()
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY events {COLUMNS} FROM STDIN") as rows,
        ):
            for version in range(1, size + 1):
                metadata = f'{{"event_id": "{uuid4()}"}}'
                rows.write_row((stream, "Happened", version, "{}", metadata, "now"))
        return size

    def append(self, connection: psycopg.Connection[Any], stream: str) -> int:
        """Append as the engine's users do."""
        size = min(self.size(), 10)
        append(connection, [(stream, new_event())] * size, expected={stream: 0})
        return size

    def leave_idle(self, connection: psycopg.Connection[Any], stream: str) -> int:
        """Draw an id and hang, until the server ends the session."""
        self.insert(connection, stream)
        time.sleep(IDLE)
        return 0


def new_event() -> NewEvent:
    event_id = uuid4()
    metadata = Metadata(
        event_id=event_id, correlation_id=event_id, causation_id=event_id, schema="1.0"
    )
    return NewEvent(type="Happened", data="{}", metadata=metadata)

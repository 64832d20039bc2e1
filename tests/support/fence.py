"""Writers and readers of one log, in each other's way as much as they can be."""

import os
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.log.read import read_all, settled

INSERT = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    VALUES (%s, 'Happened', %s, '{}', '{}', now())
"""


def write(url: str, seed: int, transactions: int, dies: bool) -> None:
    """
    Append in transactions that draw ids, sleep, and commit or roll back.

    A writer that *dies* does so in the middle of its last one, with ids drawn.
    """
    chance = random.Random(seed)
    with psycopg.connect(url) as connection:
        for number in range(transactions):
            for index in range(chance.randint(1, 3)):
                connection.execute(INSERT, (f"w-{seed}-{number}", index + 1))
                time.sleep(chance.uniform(0, 0.01))
            if dies and number == transactions - 1:
                os.kill(os.getpid(), 9)
            if chance.random() < 0.2:
                connection.rollback()
            else:
                connection.commit()


@dataclass
class Reader:
    """A subscription in small: it reads up to what is settled and remembers the ids."""

    url: str
    seen: list[int] = field(default_factory=list)
    checkpoint: int = 0
    is_told_to_end: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Read until told to end, then once more to the end of the log."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            while not self.is_told_to_end.is_set():
                self.read(connection)
                time.sleep(0.001)
            self.read(connection)

    def read(self, connection: psycopg.Connection[Any]) -> None:
        up_to = settled(connection)
        events = read_all(
            connection, after=self.checkpoint, up_to=up_to, limit=1_000_000
        )
        self.seen += [event.position for event in events]
        self.checkpoint = max(self.checkpoint, up_to)


def committed_ids(connection: psycopg.Connection[Any]) -> list[int]:
    rows = connection.execute("SELECT id FROM events ORDER BY id")
    return [row[0] for row in rows]

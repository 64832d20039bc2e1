"""What happens to a race from outside: processes stop, die, and finish others' work."""

import random
import threading
import time
from collections import Counter
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.fencing.crowd import Crowd, any_of
from benchmarks.fencing.writer import PREPARED

MAX_SECONDS_STOPPED = 1.0
"""Seconds: at times more than the server lets a transaction idle, at times less."""
FAULTS = ("writer stopped", "writer killed", "reader killed", "reader stopped")
MAX_STOPPED = 4


class Trouble:
    """A thread that makes it, from `with` to its end."""

    def __init__(
        self, url: str, writers: Crowd, readers: Crowd, *, every: float, seed: int
    ) -> None:
        self.url = url
        self.writers = writers
        self.readers = readers
        self.every = every
        self.chance = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self.make)

    def __enter__(self) -> "Trouble":
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.is_over.set()
        self.thread.join()
        for crowd in (self.writers, self.readers):
            for member in crowd.members:
                if member.stopped_until:
                    member.go_on()

    def make(self) -> None:
        next_fault = time.monotonic() + self.every
        while not self.is_over.wait(0.05):
            self.writers.go_on_where_due()
            self.readers.go_on_where_due()
            try:
                self.finish_prepared()
            except psycopg.OperationalError:
                # The server is away for a moment: it is part of the trouble.
                continue
            if time.monotonic() > next_fault:
                self.make_one()
                next_fault = time.monotonic() + self.every

    def make_one(self) -> None:
        fault = self.chance.choice(FAULTS)
        who, _, what = fault.partition(" ")
        crowd = self.writers if who == "writer" else self.readers
        stopped = sum(member.stopped_until > 0 for member in crowd.members)
        if what == "killed":
            any_of(crowd, self.chance).replace()
        elif stopped < MAX_STOPPED:
            any_of(crowd, self.chance).stop(
                self.chance.uniform(0.1, MAX_SECONDS_STOPPED)
            )
        else:
            return
        self.counts[fault] += 1

    def finish_prepared(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            self.counts += finish_prepared(connection, self.chance)


def finish_prepared(
    connection: psycopg.Connection[Any], chance: random.Random
) -> Counter[str]:
    """Commit or roll back the writers' prepared transactions, from another session."""
    counts: Counter[str] = Counter()
    rows = connection.execute(
        "SELECT gid FROM pg_prepared_xacts WHERE gid LIKE %s", (f"{PREPARED}%",)
    )
    for (gid,) in rows.fetchall():
        how = chance.choice(("COMMIT", "ROLLBACK"))
        connection.execute(sql.SQL(how + " PREPARED {}").format(sql.Literal(gid)))
        counts[f"prepared, then {how}"] += 1
    return counts

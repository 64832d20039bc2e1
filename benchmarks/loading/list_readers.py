"""Readers of the list of orders who ask again and again, and remember all they saw."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

QUERY = """
    SELECT order_id, status, customer_name FROM readmodels.order_list
    ORDER BY order_id DESC LIMIT %s
"""
"""The newest; what was there once leaves them for newer ones."""
PAUSE = 0.005
"""Seconds between two looks: readers are to wait for locks, not for one another."""
FARTHER = {"pending": 0, "paid": 1, "shipped": 2, "delivered": 3, "cancelled": 3}
"""How far an order is: what a reader once saw, no later look may undo."""
MOVED = re.compile(r"moved (\d+)$")
"""In a customer's name, by the load: how often one has moved by then."""
Row = tuple[str, str]


@dataclass
class Reader:
    """
    A reader on a connection of its own; *answered* is called with each answer.

    It looks at the *most* newest orders, or at all of them.
    """

    url: str
    answered: Callable[[], None]
    most: int | None = None
    looks: int = 0
    longest: float = 0.0
    last: dict[int, Row] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def read(self, stop: threading.Event) -> None:
        """Ask again and again; what goes wrong is among the faults."""
        try:
            with psycopg.connect(self.url, autocommit=True) as connection:
                while not stop.wait(PAUSE):
                    self.look(connection)
        except psycopg.Error as error:
            self.faults.append(repr(error))

    def look(self, connection: psycopg.Connection[Any]) -> None:
        started = time.monotonic()
        found = connection.execute(QUERY, (self.most,)).fetchall()
        self.longest = max(self.longest, time.monotonic() - started)
        self.looks += 1
        self.answered()
        rows: dict[int, Row] = {
            order_id: (status, name) for order_id, status, name in found
        }
        oldest = min(rows, default=0)
        missing = {one for one in self.last if one >= oldest} - rows.keys()
        if missing:
            self.faults.append(f"{len(missing)} rows are gone, like {min(missing)}")
        for order_id, now in rows.items():
            before = self.last.get(order_id, now)
            if any(a < b for a, b in zip(age(now), age(before), strict=True)):
                self.faults.append(f"order {order_id} went from {before} to {now}")
        self.last = rows


def age(row: Row) -> tuple[int, int]:
    """Return how far the order is, and its customer's name: neither may go back."""
    status, name = row
    moved = MOVED.search(name)
    return FARTHER[status], int(moved[1]) if moved else 0


class Readers:
    """
    Several readers at once, until the end of the `with` block.

    A lock holds up all of them, and a machine that has too much to do one or another:
    *silence* is the longest time in which none was answered.
    """

    def __init__(self, url: str, count: int, most: int | None = None) -> None:
        self.all = [Reader(url, self.note_answer, most) for _ in range(count)]
        self.lock = threading.Lock()
        self.last = 0.0
        self.silence = 0.0
        self.stop = threading.Event()
        self.threads = [
            threading.Thread(target=reader.read, args=(self.stop,))
            for reader in self.all
        ]

    def __enter__(self) -> "Readers":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()

    def note_answer(self) -> None:
        with self.lock:
            now = time.monotonic()
            self.silence = max(self.silence, now - (self.last or now))
            self.last = now

    @property
    def looks(self) -> int:
        return sum(reader.looks for reader in self.all)

    @property
    def longest(self) -> float:
        return max(reader.longest for reader in self.all)

    @property
    def faults(self) -> list[str]:
        return [fault for reader in self.all for fault in reader.faults]

"""Readers, a feeder and evictions at once, while the server is killed and stopped."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import NamedTuple

import msgspec
import psycopg

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.log.events import RecordedEvent
from eventstore.projections.newest_rows import read_newest
from eventstore.stores.comparison import compare
from eventstore.stores.writer import Writer
from readmodels.stores.hot.queries import HotRow, HotRows, Miss
from readmodels.stores.hot.store import HotStore
from tests.stores.servers.server import Server
from tests.support.engine import Engine
from tests.support.row_follower import keep_up, totals, write
from tests.support.shared_passes import Total
from tests.support.waiting import wait_until

NAMES = [f"c{n}" for n in range(8)]
CHANGES = 120
READERS = 3


class Seen(NamedTuple):
    """What a reader was told of a counter, and up to which position it should be."""

    key: str
    total: int
    position: int


class Reader:
    """Asks for counters by chance, and is slow to put in what was not there."""

    def __init__(self, store: HotStore, connection: psycopg.Connection, seed: int):
        self.rows = HotRows(store)
        self.connection = connection
        self.chance = random.Random(seed)
        self.seen: list[Seen] = []
        self.failures = 0
        self.asked = 0

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            key = self.chance.choice(NAMES)
            self.asked += 1
            try:
                found = self.rows.find(totals, Total, key)
            except StoreAway:
                self.failures += 1
                continue
            if isinstance(found, HotRow):
                self.seen.append(Seen(key, found.row.total, found.position))
            else:
                self.fill(found, key, stop)

    def fill(self, miss: Miss, key: str, stop: threading.Event) -> None:
        copy = miss.copy
        if copy is None:
            return
        found = read_newest(self.connection, totals, copy.generation, [key])
        assert found is not None
        stop.wait(self.chance.random() * 0.03)
        rows = [row for row in found.rows if row.row is not None]
        with suppress(StoreAway, CopyMoved):
            self.rows.store.write(copy, rows, found.newest)


def evict(store: HotStore, stop: threading.Event) -> None:
    """Delete keys by chance: rows, and now and then what tells of the copy."""
    chance = random.Random(16)
    begin = f"{store.names.prefix}:".encode()
    meta = store.names.meta("totals").encode()
    while not stop.wait(0.002):
        with suppress(StoreAway), store.connection.answering() as client:
            keys = [key for key in client.scan_iter() if key.startswith(begin)]
            keys = [key for key in keys if key != meta or chance.random() < 0.005]
            if keys:
                client.delete(chance.choice(keys))


@contextmanager
def beside(*works: Callable[[threading.Event], None]) -> Iterator[None]:
    """Run *works* in threads; raise the first of their errors."""
    stop = threading.Event()
    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(work, stop) for work in works]
        try:
            yield
        finally:
            stop.set()
        for one in running:
            one.result()


def asked(readers: Sequence[Reader]) -> int:
    return sum(reader.asked for reader in readers)


def have_asked(readers: Sequence[Reader], times: int) -> bool:
    return asked(readers) >= times


def have_failed(readers: Sequence[Reader], times: int) -> bool:
    return sum(reader.failures for reader in readers) >= times


def totals_since(events: Sequence[RecordedEvent], position: int) -> set[int]:
    """What the counter counted at *position*, and at any time after it."""
    counts, total, first = [0], 0, 0
    for event in events:
        total += msgspec.json.decode(event.data)["amount"]
        counts.append(total)
        if total % 7 == 0:
            # Such a row is deleted, and the next one begins at 0.
            total = 0
        if event.position <= position:
            first = len(counts) - 1
    return set(counts[first:])


def test_no_reader_is_told_of_an_older_row_than_its_position_says(
    engine: Engine, store: HotStore, writer: Writer, cache_server: Server
) -> None:
    readers = [Reader(store, engine.connect(), seed) for seed in range(READERS)]
    chance = random.Random(16)
    with beside(
        lambda stop: writer.run(lambda: False, stop),
        lambda stop: evict(store, stop),
        *(reader.run for reader in readers),
    ):
        for place in range(CHANGES):
            write(engine.connection, (chance.choice(NAMES), chance.randint(1, 6)))
            keep_up(engine.connection, totals)
            # Else a fast machine writes all changes before anyone has looked.
            enough = asked(readers) + READERS
            wait_until(partial(have_asked, readers, enough), "readers look")
            if place == CHANGES // 3:
                cache_server.kill()
                cache_server.start()
            if place == CHANGES // 2:
                cache_server.pause()
                failures = sum(reader.failures for reader in readers)
                wait_until(
                    partial(have_failed, readers, failures + READERS),
                    "readers find that the cache is away",
                )
                cache_server.resume()
        count = sum(len(reader.seen) for reader in readers)
        wait_until(
            lambda: sum(len(reader.seen) for reader in readers) > count + 100,
            "the cache answers",
        )

    told = {seen for reader in readers for seen in reader.seen}
    assert len(told) > CHANGES // 4
    streams = {key: engine.stream(f"counter-{key}") for key in NAMES}
    for seen in told:
        assert seen.total in totals_since(streams[seen.key], seen.position), seen
    shelf = store.load_shelf("totals")
    if shelf is not None and shelf.serving is not None:
        found = compare(engine.connection, store, totals, shelf.serving, is_full=True)
        assert found.differences == []

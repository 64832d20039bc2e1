"""No reader skips an event: proven by writers that do all they can to make one."""

import multiprocessing
import threading
from dataclasses import dataclass

import psycopg
import pytest
import sqlalchemy as sa

from tests.support.fence import Reader, committed_ids, write

pytestmark = pytest.mark.races

WRITERS = 12
TRANSACTIONS = 60
READERS = 3


@dataclass
class Race:
    """What was committed, and what each reader was given, in its order."""

    committed: list[int]
    delivered: list[list[int]]

    @property
    def missed(self) -> int:
        return sum(len(set(self.committed) - set(ids)) for ids in self.delivered)


def run(database: str) -> Race:
    """Let writers and readers loose on one log; one writer is killed at work."""
    url = sa.make_url(database).set(drivername="postgresql").render_as_string(False)
    context = multiprocessing.get_context("spawn")
    readers = [Reader(url) for _ in range(READERS)]
    threads = [threading.Thread(target=reader.follow) for reader in readers]
    writers = [
        context.Process(target=write, args=(url, seed, TRANSACTIONS, seed == 0))
        for seed in range(WRITERS)
    ]
    for thread in threads:
        thread.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for reader in readers:
        reader.is_told_to_end.set()
    for thread in threads:
        thread.join()
    with psycopg.connect(url) as connection:
        return Race(committed_ids(connection), [reader.seen for reader in readers])


def test_readers_get_every_committed_event_once_and_in_order(database: str) -> None:
    race = run(database)

    print(f"committed {len(race.committed)}, missed {race.missed}")
    assert len(race.committed) > 500
    assert all(delivered == race.committed for delivered in race.delivered)


def test_without_the_fence_readers_miss_events(database: str) -> None:
    """The negative control: the same race must be able to fail."""
    engine = sa.create_engine(database)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE events DISABLE TRIGGER events_hold_fence"
        )
    engine.dispose()

    race = run(database)

    print(f"committed {len(race.committed)}, missed {race.missed}")
    assert race.missed > 0

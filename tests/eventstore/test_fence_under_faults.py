"""No reader skips an event, whatever happens: a race through crashes and a restore."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from benchmarks.fencing.cluster import Cluster
from benchmarks.fencing.race import Race
from eventstore.log.read import last_drawn, read_all, settled
from eventstore.subscriptions.external_store import ForeignCheckpoint, read_on
from tests.support.fence import Reader, committed_ids

pytestmark = pytest.mark.races

Connection = psycopg.Connection[Any]

INSERT = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    SELECT %s, 'Happened', n, '{}', jsonb_build_object('event_id', %s::uuid), now()
    FROM generate_series(1, %s) AS n
"""
EVENT_ID = UUID("5ab1ec0d-0000-4000-8000-000000000001")
BEGINNING = ForeignCheckpoint()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A server of the test's own, which may crash; its write-ahead log is kept back."""
    # Else the log writer may flush what a crash is to lose.
    cluster = Cluster(tmp_path / "cluster", {"wal_writer_delay": "10s"})
    try:
        cluster.start()
        cluster.install()
        yield cluster
    finally:
        cluster.destroy()


def insert(connection: Connection, stream_id: str, events: int) -> None:
    connection.execute(INSERT, (stream_id, EVENT_ID, events))


def test_readers_get_each_event_once_and_in_order_through_every_trouble(
    tmp_path: Path,
) -> None:
    race = Race(folder=tmp_path, events=10_000)
    race.run()

    print(race.committed, dict(race.counts))
    assert race.committed >= 10_000
    assert [each for each in race.deliveries if not each.is_exact] == []
    assert len(race.deliveries) == 10


def test_the_same_race_without_the_fence_misses_events(tmp_path: Path) -> None:
    """The negative control: it must be able to fail."""
    race = Race(
        folder=tmp_path,
        events=2_000,
        subscriptions=2,
        foreign=1,
        spoil=lambda connection: connection.execute(
            "ALTER TABLE events DISABLE TRIGGER events_hold_fence"
        ),
    )
    race.run()

    print(f"committed {race.committed}, missed {race.missed}")
    assert race.missed > 0


def test_ids_that_a_crash_gives_out_again_are_read(cluster: Cluster) -> None:
    """
    A foreign checkpoint names an event; one that had kept *settled* misses events.

    The rolled back append has flushed nothing, so the crash undoes its draws.
    """
    foreign: list[int] = []
    with cluster.connect() as before, cluster.connect(autocommit=False) as undone:
        insert(before, "race-before", 5)
        insert(undone, "race-undone", 100)
        undone.rollback()
        kept = settled(before)
        batch = read_on(before, "elsewhere", BEGINNING, limit=1_000)
        foreign += [event.position for event in batch.events]
        cluster.crash()
    cluster.start()

    with cluster.connect() as after:
        drawn_after_crash = last_drawn(after)
        insert(after, "race-after", 100)
        now = settled(after)
        naive = foreign + [
            event.position
            for event in read_all(after, after=kept, up_to=now, limit=1_000)
        ]
        batch = read_on(after, "elsewhere", batch.checkpoint, limit=1_000)
        foreign += [event.position for event in batch.events]
        committed = committed_ids(after)

    missed = len(set(committed) - set(naive))
    print(f"kept {kept}, then {drawn_after_crash} was drawn: missed {missed}")
    assert drawn_after_crash < kept
    assert missed > 0
    assert foreign == committed


def test_a_prepared_transaction_holds_readers_back_through_a_crash(
    cluster: Cluster,
) -> None:
    with cluster.connect(autocommit=False) as writer:
        insert(writer, "race-prepared", 3)
        writer.execute("PREPARE TRANSACTION 'kept'")
    with cluster.connect() as connection:
        insert(connection, "race-later", 1)
    cluster.crash()
    cluster.start()

    reader = Reader(cluster.url)
    with cluster.connect() as connection:
        reader.read(connection)
        held_at = reader.checkpoint
        connection.execute("COMMIT PREPARED 'kept'")
        reader.read(connection)
        committed = committed_ids(connection)

    assert held_at == 0
    assert reader.seen == committed == [1, 2, 3, 4]


def test_a_standby_is_refused(cluster: Cluster) -> None:
    """It has none of the locks, and would call everything settled."""
    cluster.end()
    (cluster.home.data / "standby.signal").touch()
    cluster.home.give(cluster.home.data / "standby.signal")
    cluster.start()

    with (
        cluster.connect() as connection,
        pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="primary"),
    ):
        settled(connection)

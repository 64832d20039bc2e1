"""A PostgreSQL of one's own with a small log and a grown one, for each contender."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.fencing.cluster import Cluster
from benchmarks.peers.contenders import recorder
from benchmarks.peers.shared import DATA, OF_A_STREAM, TYPE
from eventstore.database.installation import install

TUNING = {
    # As the shop has it: a commit is on the disk before it is answered.
    "fsync": "on",
    "synchronous_commit": "on",
    "autovacuum": "on",
    "idle_in_transaction_session_timeout": "5min",
    # A checkpoint in the middle would slow down the contender that is measured then.
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
}

# The same table with the same constraints and indexes, and without any trigger.
PLAIN = "CREATE TABLE plain (LIKE events INCLUDING ALL)"
FILL = """
    INSERT INTO {table} (stream_id, type, version, data, metadata, occurred_at)
    SELECT
        'order-' || md5((i / {of_a_stream})::text)::uuid, '{type}',
        1 + i % {of_a_stream}, '{data}'::jsonb,
        jsonb_build_object(
            'event_id', gen_random_uuid(), 'correlation_id', cause,
            'causation_id', cause, 'schema', '1.0', 'actor', 'local',
            'recorded_at', clock_timestamp()
        ),
        clock_timestamp()
    FROM generate_series(0, {events} - 1) AS i
    CROSS JOIN LATERAL (SELECT gen_random_uuid() AS cause OFFSET i * 0) AS c
"""
FILL_PEER = """
    INSERT INTO {table} (originator_id, originator_version, topic, state)
    SELECT md5((i / {of_a_stream})::text)::uuid, 1 + i % {of_a_stream}, '{type}',
        convert_to('{data}', 'UTF8')
    FROM generate_series(0, {events} - 1) AS i
"""


@contextmanager
def server(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder, TUNING)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.destroy()


def make_database(cluster: Cluster, events: int) -> str:
    """Make a database with so many events in each contender's table; return its URL."""
    name = f"log_{events}"
    with cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    url = cluster.url.replace("/recount?", f"/{name}?")
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        install(connection)
    engine.dispose()
    peer = recorder(url)
    peer.create_table()
    peer.datastore.close()
    with psycopg.connect(url, autocommit=True) as own:
        own.execute(PLAIN)
        fill(own, events)
    return url


def fill(connection: psycopg.Connection[Any], events: int) -> None:
    values = values_for(events)
    for statement in (
        FILL.format(table="events", **values),
        FILL.format(table="plain", **values),
        FILL_PEER.format(table="stored_events", **values),
        "VACUUM ANALYZE",
        "CHECKPOINT",
    ):
        connection.execute(statement.encode())


def fill_purses(connection: psycopg.Connection[Any], events: int) -> None:
    """Fill the table that pyeventsourcing's application has made for itself."""
    statement = FILL_PEER.format(table="purses_events", **values_for(events))
    connection.execute(statement.encode())


def values_for(events: int) -> dict[str, Any]:
    return {"events": events, "of_a_stream": OF_A_STREAM, "type": TYPE, "data": DATA}


def make_databases(cluster: Cluster, sizes: Sequence[int]) -> dict[int, str]:
    return {events: make_database(cluster, events) for events in sizes}

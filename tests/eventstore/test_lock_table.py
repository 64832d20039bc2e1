"""A transaction that takes floors until there is no room for them harms only itself."""

from pathlib import Path

import psycopg
import pytest

from benchmarks.fencing.cluster import Cluster
from tests.support.fence import INSERT, Reader, committed_ids

pytestmark = pytest.mark.races

MANY = """
    DO $$ BEGIN
        FOR n IN 1 .. 20000 LOOP
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            VALUES ('race-many', 'Happened', n, '{}', '{}', now());
        END LOOP;
    END $$
"""


def test_an_append_without_room_for_its_floor_is_refused(tmp_path: Path) -> None:
    cluster = Cluster(
        tmp_path / "cluster",
        {
            "max_connections": "20",
            "max_prepared_transactions": "0",
            "max_locks_per_transaction": "10",
        },
    )
    try:
        cluster.start()
        cluster.install()
        reader = Reader(cluster.url)
        with cluster.connect() as connection:
            with pytest.raises(psycopg.errors.OutOfMemory, match="shared memory"):
                connection.execute(MANY)
            connection.execute(INSERT, ("race-after", 1))
            reader.read(connection)

            assert reader.seen == committed_ids(connection)
            assert len(reader.seen) == 1
            # What it drew is gone, and says how many floors there was room for.
            print(f"room for {reader.seen[0] - 2} floors")
    finally:
        cluster.destroy()

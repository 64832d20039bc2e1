"""Who loads: the engine and pyeventsourcing, the same purses with the same payments."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import psycopg

from benchmarks.peers.balance import DECIDERS, Paid, Purse, Purses
from benchmarks.peers.contenders import address
from eventstore.aggregates.loading import load
from eventstore.aggregates.snapshots import keep
from eventstore.log.append import NO_STREAM
from eventstore.log.bulk_append import append_bulk
from eventstore.log.events import Metadata, NewEvent

NOTE = "for a RETRO-CLOCK and two LAVA-LAMPs"
PURSES = DECIDERS.all[0]


class Recount:
    """The engine's `load`: one round trip, then the decider's `evolve`."""

    name = "recount"

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def make(self, events: int, snapshot_at: int | None = None) -> str:
        """Make a purse of so many events, and perhaps a snapshot of a version."""
        stream_id = f"purse-{uuid4()}"
        first = snapshot_at or events
        self.append(stream_id, first, NO_STREAM)
        if snapshot_at is not None:
            state = self.load(stream_id)
            keep(self.connection, [PURSES.snapshots.encode(stream_id, first, state)])
            self.append(stream_id, events - first, first)
        return stream_id

    def append(self, stream_id: str, events: int, expected: int) -> None:
        new = [(stream_id, paid(number)) for number in range(events)]
        append_bulk(self.connection, new, expected={stream_id: expected})

    def load(self, stream_id: str) -> Any:
        return load(self.connection, [stream_id], DECIDERS).states[stream_id]


def paid(amount: int) -> NewEvent:
    cause = uuid4()
    return NewEvent(
        type="Paid",
        data=PURSES.events.encode(Paid(amount=amount, note=NOTE)),
        metadata=Metadata(
            event_id=uuid4(), correlation_id=cause, causation_id=cause, schema="1.0"
        ),
    )


class Pyeventsourcing:
    """The repository of pyeventsourcing's application, as it comes."""

    name = "pyeventsourcing"

    def __init__(self, url: str) -> None:
        self.plain = Purses(environment(url))
        # With snapshots on it looks for one at each load: asked for where one is there.
        self.snapshotting = Purses({**environment(url), "IS_SNAPSHOTTING_ENABLED": "y"})
        self.with_snapshot: set[UUID] = set()

    def make(self, events: int, snapshot_at: int | None = None) -> UUID:
        purse = Purse()
        for amount in range(events - 1):
            purse.pay(amount=amount, note=NOTE)
            # A save of ten thousand never came to its end.
            if amount % 500 == 0:
                self.plain.save(purse)
        self.plain.save(purse)
        if snapshot_at is not None:
            self.snapshotting.take_snapshot(purse.id, version=snapshot_at)
            self.with_snapshot.add(purse.id)
        made: UUID = purse.id
        return made

    def load(self, purse: UUID) -> Any:
        kept = purse in self.with_snapshot
        return (self.snapshotting if kept else self.plain).repository.get(purse)

    def close(self) -> None:
        self.plain.close()
        self.snapshotting.close()


def environment(url: str) -> Mapping[str, str]:
    parts = address(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts["dbname"],
        "POSTGRES_HOST": parts["host"],
        "POSTGRES_PORT": str(parts["port"]),
        "POSTGRES_USER": parts["user"],
        "POSTGRES_PASSWORD": parts["password"],
        "POSTGRES_POOL_SIZE": "1",
    }

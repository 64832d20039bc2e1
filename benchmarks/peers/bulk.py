"""Many rows at once: a bulk append beside COPY of the same rows."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from benchmarks.peers.shared import new_event, to_json
from benchmarks.peers.table import turns
from eventstore.log.append import NO_STREAM
from eventstore.log.bulk_append import append_bulk
from eventstore.log.events import NewEvent

OF_A_STREAM = 5
COPY = "COPY plain (stream_id, type, version, data, metadata, occurred_at) FROM STDIN"

Batch = Sequence[tuple[str, NewEvent]]


class BulkRates(NamedTuple):
    """Events a second, round by round."""

    append: list[float]
    copy: list[float]


def measure(url: str, events: int, rounds: int) -> BulkRates:
    """Bring in so many events a call, each way in turn."""
    rates = BulkRates([], [])
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(-1, rounds):
            for place in turns(2, number + 1):
                way = (append_all, copy_all)[place]
                rate = timed(connection, way, events)
                if number >= 0:
                    rates[place].append(rate)
    return rates


def timed(
    connection: psycopg.Connection[Any],
    way: Callable[[psycopg.Connection[Any], Batch], None],
    events: int,
) -> float:
    batch = batch_of(events)
    started = time.perf_counter()
    way(connection, batch)
    return events / (time.perf_counter() - started)


def batch_of(events: int) -> Batch:
    """Return events of new streams, which take turns."""
    streams = [f"order-{uuid4()}" for _ in range(events // OF_A_STREAM)]
    return [
        (stream_id, new_event()) for _ in range(OF_A_STREAM) for stream_id in streams
    ]


def append_all(connection: psycopg.Connection[Any], batch: Batch) -> None:
    append_bulk(connection, batch, expected={stream: NO_STREAM for stream, _ in batch})


def copy_all(connection: psycopg.Connection[Any], batch: Batch) -> None:
    """Copy the same rows into the same indexes, with versions known beforehand."""
    versions: dict[str, int] = {}
    with connection.cursor().copy(COPY) as copy:
        for stream_id, event in batch:
            versions[stream_id] = versions.get(stream_id, 0) + 1
            copy.write_row(
                (
                    stream_id,
                    event.type,
                    versions[stream_id],
                    event.data,
                    to_json(event.metadata).decode(),
                    "now",
                )
            )

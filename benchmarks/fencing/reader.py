"""Readers: one keeps its checkpoint in the log's database, one in a file of its own."""

import json
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from benchmarks.fencing.shared import END, Numbers
from eventstore.log.events import RecordedEvent
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.external_store import ForeignCheckpoint, read_on
from eventstore.subscriptions.subscription import Subscription

PAUSE = 0.02
LIMIT = 2_000

DELIVERED = """
    CREATE TABLE IF NOT EXISTS delivered (
        reader text NOT NULL,
        batch bigint GENERATED ALWAYS AS IDENTITY,
        ids bigint[] NOT NULL
    )
"""
"""What a subscription got, kept in the transaction that moved its checkpoint."""


def subscribe(url: str, name: str, orders: Numbers) -> None:
    """Catch up again and again, and once more when told to end."""

    def keep(
        connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        ids = [event.position for event in events]
        connection.execute(
            "INSERT INTO delivered (reader, ids) VALUES (%s, %s)", (name, ids)
        )

    subscription = Subscription(name=name, types=None, handler=keep, batch=LIMIT)
    until_told(url, orders, lambda connection: catch_up(connection, subscription))


def read_into_file(url: str, path: str, orders: Numbers) -> None:
    """Read into another store: a file, whose lines have ids and the checkpoint."""
    store = Path(path)
    drop_half_a_line(store)

    def read(connection: psycopg.Connection[Any]) -> None:
        checkpoint = last_checkpoint(store)
        while True:
            batch = read_on(connection, store.stem, checkpoint, limit=LIMIT)
            if batch.checkpoint == checkpoint:
                return
            checkpoint = batch.checkpoint
            ids = [event.position for event in batch.events]
            line = [ids, checkpoint.position, str(checkpoint.event_id)]
            with store.open("a") as file:
                file.write(json.dumps(line) + "\n")

    until_told(url, orders, read)


def until_told(url: str, orders: Numbers, read: Any) -> None:
    """Read until told to end, then once more to the end of what is settled."""
    # It warns of each connection that the trouble cost us.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    while True:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                while orders[0] != END:
                    read(connection)
                    time.sleep(PAUSE)
                read(connection)
                return
        except psycopg.OperationalError:
            time.sleep(0.05)


def drop_half_a_line(store: Path) -> None:
    """Forget what a reader that was killed did not finish writing."""
    if store.exists():
        text = store.read_bytes()
        os.truncate(store, text.rfind(b"\n") + 1)


def last_checkpoint(store: Path) -> ForeignCheckpoint:
    if not store.exists() or not store.stat().st_size:
        return ForeignCheckpoint()
    with store.open("rb") as file:
        # A line has at most LIMIT ids.
        file.seek(max(0, store.stat().st_size - 40 * LIMIT))
        _, position, event_id = json.loads(file.read().splitlines()[-1])
    return ForeignCheckpoint(position, UUID(event_id))


def ids_in_file(store: Path) -> list[int]:
    lines = store.read_text().splitlines() if store.exists() else []
    return [number for line in lines for number in json.loads(line)[0]]


def ids_delivered(connection: psycopg.Connection[Any], name: str) -> list[int]:
    rows = connection.execute(
        """
        SELECT u.id FROM delivered
        CROSS JOIN LATERAL unnest(ids) WITH ORDINALITY AS u (id, n)
        WHERE reader = %s ORDER BY batch, n
        """,
        (name,),
    )
    return [number for (number,) in rows]

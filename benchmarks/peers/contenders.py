"""Who appends: the engine, a bare INSERT, and pyeventsourcing in two ways."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from benchmarks.peers.shared import DATA, OF_A_STREAM, TYPE, new_event, to_json
from eventstore.log.append import append

INSERT = """
    INSERT INTO plain (stream_id, type, version, data, metadata, occurred_at)
    VALUES (%s, %s, %s, %s, %s, now())
    RETURNING id
"""
TOPIC = f"benchmarks.peers.shared:{TYPE}"


class Contender(ABC):
    """One way to append an event, in a transaction of its own."""

    name: ClassVar[str]

    def __init__(self, url: str) -> None:
        self.places = places()

    @abstractmethod
    def append_next(self) -> None:
        """Append the next event of this writer, and commit."""


def places() -> Iterator[tuple[UUID, int]]:
    """Yield streams of their own, each as often as it gets events, from version 0."""
    while True:
        stream = uuid4()
        for version in range(OF_A_STREAM):
            yield stream, version


class Recount(Contender):
    """The engine's `append`, on the version that was read."""

    name = "recount"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.connection = psycopg.connect(url, autocommit=True)

    def append_next(self) -> None:
        stream, version = next(self.places)
        stream_id = f"order-{stream}"
        append(
            self.connection, [(stream_id, new_event())], expected={stream_id: version}
        )


class Insert(Contender):
    """A bare INSERT by psycopg: the same row in the same indexes, and no check."""

    name = "INSERT"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.connection = psycopg.connect(url, autocommit=True)

    def append_next(self) -> None:
        stream, version = next(self.places)
        event = new_event()
        metadata = to_json(event.metadata).decode()
        row = (f"order-{stream}", event.type, version + 1, event.data, metadata)
        self.connection.execute(INSERT, row).fetchone()


class Pyeventsourcing(Contender):
    """The recorder of pyeventsourcing's applications, as it comes."""

    name = "pyeventsourcing"
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.recorder = recorder(url, **self.options)
        self.state = DATA.encode()

    def append_next(self) -> None:
        stream, version = next(self.places)
        event = StoredEvent(
            originator_id=stream,
            originator_version=version + 1,
            topic=TOPIC,
            state=self.state,
        )
        self.recorder.insert_events([event])


class PyeventsourcingByFunction(Pyeventsourcing):
    """The same with its option of a function in the database: one round trip."""

    name = "pyeventsourcing, function"
    options: ClassVar[dict[str, Any]] = {"enable_db_functions": True}


ALL = (Insert, Recount, Pyeventsourcing, PyeventsourcingByFunction)


def recorder(url: str, **options: Any) -> PostgresApplicationRecorder:
    """Return pyeventsourcing's recorder on a database of ours that has its tables."""
    datastore = PostgresDatastore(**address(url), pool_size=1, **options)
    return PostgresApplicationRecorder(datastore)


def address(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "dbname": parts.path.strip("/"),
        "host": parse_qs(parts.query)["host"][0],
        "port": 5432,
        "user": parts.username,
        "password": "",
    }

"""What a test does to snapshots, and what it sees of them."""

from collections import Counter as Counted
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.history import read_histories
from eventstore.aggregates.loading import Streams, snapshots_of
from eventstore.aggregates.snapshots import keep
from eventstore.personal.keyring import Keyring

Rows = list[Counted[str]]


@dataclass(frozen=True, slots=True)
class WiderCounter:
    """What a counter is made of in the next version."""

    total: int = 0
    doubled: int = 0


def keep_snapshot(
    connection: psycopg.Connection[Any],
    deciders: Deciders,
    stream_id: str,
    version: int,
) -> None:
    """Put the snapshot of *stream_id* at *version* where its newest one is."""
    past = read_histories(connection, [stream_id], None, up_to={stream_id: version})
    decider = deciders.of_stream(stream_id)
    state = decider.state_after(decider.initial, past[stream_id].events)
    streams = Streams({stream_id: state}, {stream_id: version})
    keep(
        connection,
        snapshots_of(
            [stream_id], streams, deciders, Keyring(connection, deciders.masters)
        ),
    )


@contextmanager
def returned_rows(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rows]:
    """
    Write down what the server returns to each statement, by the kind of row.

    The kind is the first column of what `load` and `take` return.
    """
    seen: Rows = []
    send = psycopg.Connection.execute

    def execute(self: Any, query: Any, *arguments: Any, **options: Any) -> Any:
        cursor = send(self, query, *arguments, **options)
        if "public.load(" in str(query) or "public.take(" in str(query):
            seen.append(Counted(row[0] for row in cursor))
            cursor.scroll(0, "absolute")
        return cursor

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.Connection, "execute", execute)
        yield seen


def row_of(connection: psycopg.Connection[Any], stream_id: str) -> dict[str, Any]:
    """Return the row of a stream's snapshot, by the names of its columns."""
    cursor = connection.execute(
        "SELECT * FROM snapshots WHERE stream_id = %s", (stream_id,)
    )
    names = [column.name for column in cursor.description or ()]
    (row,) = cursor.fetchall()
    return dict(zip(names, row, strict=True))

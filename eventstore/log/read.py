"""Reading: a stream, several from their snapshots on, the log up to what is settled."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.snapshots import Snapshot

HIGHEST_VERSION = 2**31 - 1
LOADED = """
    kind, id, stream_id, type, version, data::text, metadata::text, moment, checksum,
    refused
"""
"""The columns of what the function `load` returns, as `gathered` takes them."""

_COLUMNS = "id, stream_id, type, version, data::text, metadata::text, occurred_at"


class Past(NamedTuple):
    """What happened in a stream: the events after its snapshot, if that is any use."""

    snapshot: Snapshot | None
    events: list[RecordedEvent]

    @property
    def version(self) -> int:
        """The version that the stream is at, or was asked up to."""
        if self.events:
            return self.events[-1].version
        if self.snapshot is None or self.snapshot.refused is not None:
            return 0
        return self.snapshot.version


def read_stream(
    connection: psycopg.Connection[Any],
    stream_id: str,
    *,
    after: int = 0,
    up_to: int = HIGHEST_VERSION,
) -> list[RecordedEvent]:
    """Return the events of a stream in order, behind *after* and up to *up_to*."""
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM public.events
        WHERE stream_id = %s AND version > %s AND version <= %s ORDER BY version
        """,
        (stream_id, after, up_to),
    )
    return [RecordedEvent(*row) for row in rows]


def read_pasts(
    connection: psycopg.Connection[Any],
    stream_ids: Iterable[str],
    fingerprints: str | None,
    *,
    up_to: Mapping[str, int] | None = None,
) -> dict[str, Past]:
    """
    Return of each stream its snapshot and the events after it, in one round trip.

    *fingerprints* are those that the caller can read; without them all events come.
    *up_to* has the last version that is asked for, where it is not the head.
    """
    streams = list(dict.fromkeys(stream_ids))
    ends = None if up_to is None else [up_to[stream_id] for stream_id in streams]
    rows = connection.execute(
        f"SELECT {LOADED} FROM public.load(%s::text[], %s::text[], %s::int[])",
        (streams, fingerprints, ends),
    )
    return gathered(streams, rows)


def gathered(stream_ids: Iterable[str], rows: Iterable[Any]) -> dict[str, Past]:
    """Return what `load` says of each stream; *rows* have the columns of LOADED."""
    pasts = {stream_id: Past(None, []) for stream_id in stream_ids}
    for row in rows:
        if row[0] == "event":
            event = RecordedEvent._make(row[1:8])
            pasts[event.stream_id].events.append(event)
        elif row[0] == "snapshot":
            stream_id, fingerprint, version, state = row[2:6]
            snapshot = Snapshot(
                stream_id=stream_id,
                version=version,
                state=state,
                fingerprint=fingerprint,
                checksum=row[8],
                refused=row[9],
            )
            pasts[stream_id] = Past(snapshot, [])
    return pasts


def last_drawn(connection: psycopg.Connection[Any]) -> int:
    """Return the last position that was given to an event, be it committed or not."""
    row = connection.execute("SELECT public.last_drawn()").fetchone()
    assert row is not None
    return int(row[0])


def settled(connection: psycopg.Connection[Any]) -> int:
    """
    Return the position up to which no transaction can still bring in an event.

    Read events in a statement of its own *after* this one: the same statement would
    read them in a snapshot that is older than the answer.
    """
    row = connection.execute("SELECT public.settled()").fetchone()
    assert row is not None
    return int(row[0])


def read_all(
    connection: psycopg.Connection[Any],
    *,
    after: int,
    up_to: int,
    limit: int,
    types: Sequence[str] | None = None,
) -> list[RecordedEvent]:
    """
    Return events of the log in order: behind *after*, up to *up_to*, at most *limit*.

    *up_to* must not be beyond what `settled` said before this transaction's snapshot.
    """
    only = "" if types is None else "AND type = ANY (%(types)s)"
    rows = connection.execute(
        f"""
        SELECT {_COLUMNS} FROM public.events
        WHERE id > %(after)s AND id <= %(up_to)s {only} ORDER BY id LIMIT %(limit)s
        """,
        {"after": after, "up_to": up_to, "limit": limit, "types": list(types or ())},
    )
    return [RecordedEvent(*row) for row in rows]

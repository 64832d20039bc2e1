"""Time travel: streams as they were at a version, at a position, or at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.history import (
    HISTORY_COLUMNS,
    StreamHistory,
    parse_histories,
)
from eventstore.aggregates.loading import Streams, fold_histories
from eventstore.errors import NoSuchVersion, NotSettled, VersionsMissing
from eventstore.log.events import RecordedEvent
from eventstore.log.read import MAX_VERSION, read_stream

MAX_POSITION = 2**63 - 1

# The last version that the stream `a.stream_id` had by then.
_AT_VERSION = "%(version)s::int"
_AT_POSITION = """coalesce((
    SELECT e.version FROM public.events AS e
    WHERE e.stream_id = a.stream_id AND e.id <= %(position)s::bigint
    ORDER BY e.version DESC LIMIT 1
), 0)"""
_AT_TIME = """coalesce((
    SELECT e.version - 1 FROM public.events AS e
    WHERE e.stream_id = a.stream_id AND e.occurred_at > %(at)s::timestamptz
    ORDER BY e.version LIMIT 1
), %(version)s::int)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """
    A point of the past: a *version*, a *position*, or *at* a time; without any, now.

    As of a time, a stream ends before its first event that occurred later: imported
    times need not rise.

    Raises ValueError for more than one of them, for a version or position below zero,
    and for a time without a zone.
    """

    version: int | None = None
    position: int | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        if [self.version, self.position, self.at].count(None) < 2:
            raise ValueError("as of a version, a position or a time: one of them")
        if (self.version or 0) < 0 or (self.position or 0) < 0:
            raise ValueError("versions and positions count from 0")
        if self.at is not None and self.at.utcoffset() is None:
            raise ValueError(f"a time needs a zone: {self.at.isoformat()}")

    @property
    def last_version(self) -> str:
        """The SQL for the last version of a stream at that point."""
        if self.position is not None:
            return _AT_POSITION
        return _AT_VERSION if self.at is None else _AT_TIME

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the parameters that `last_version` names, by name."""
        version = MAX_VERSION if self.version is None else self.version
        return {
            "version": min(version, MAX_VERSION),
            "position": min(self.position or 0, MAX_POSITION),
            "at": self.at,
        }


def load_as_of(
    connection: psycopg.Connection[Any],
    stream_ids: Iterable[str],
    deciders: Deciders,
    as_of: AsOf,
) -> Streams:
    """
    Return the states that streams had then, and their versions.

    It takes one round trip or two, and begins with older snapshots where there are any.
    A stream that had no events then has the initial state and version 0.

    Raises NoSuchVersion for a version that a stream does not have, NotSettled for a
    position where events may still come, and VersionsMissing for a stream with a hole.
    """
    streams = list(dict.fromkeys(stream_ids))
    with connection.pipeline():
        settled = ask_settled(connection, as_of)
        rows = connection.execute(
            f"""
            SELECT {HISTORY_COLUMNS}
            FROM public.load(%(streams)s::text[], %(fingerprints)s::text[], ARRAY(
                SELECT {as_of.last_version}
                FROM unnest(%(streams)s::text[])
                    WITH ORDINALITY AS a (stream_id, place)
                ORDER BY a.place
            ))
            """,
            {
                **as_of.parameters,
                "streams": streams,
                "fingerprints": deciders.fingerprints,
            },
        )
        refuse_unsettled(as_of, settled)
        pasts: dict[str, StreamHistory] = parse_histories(streams, rows)
    refuse_holes(connection, pasts, as_of)
    refuse_missing(as_of, {name: past.version for name, past in pasts.items()})
    return fold_histories(connection, pasts, deciders)


def versions_as_of(
    connection: psycopg.Connection[Any], stream_ids: Iterable[str], as_of: AsOf
) -> dict[str, int]:
    """
    Return the version that each stream had then, without loading it; 0 if empty.

    Raises NoSuchVersion and NotSettled as `load_as_of` does.
    """
    with connection.pipeline():
        settled = ask_settled(connection, as_of)
        rows = connection.execute(
            f"""
            SELECT a.stream_id, least({as_of.last_version}, coalesce((
                SELECT e.version FROM public.events AS e
                WHERE e.stream_id = a.stream_id
                ORDER BY e.version DESC LIMIT 1
            ), 0))
            FROM unnest(%(streams)s::text[]) AS a (stream_id)
            """,
            {**as_of.parameters, "streams": list(stream_ids)},
        )
        refuse_unsettled(as_of, settled)
        versions = dict(rows.fetchall())
    refuse_missing(as_of, versions)
    return versions


def ask_settled(
    connection: psycopg.Connection[Any], as_of: AsOf
) -> psycopg.Cursor[Any] | None:
    """Return the settled position, in a statement before the one that reads."""
    if as_of.position is None:
        return None
    return connection.execute("SELECT public.settled()")


def refuse_unsettled(as_of: AsOf, settled: psycopg.Cursor[Any] | None) -> None:
    if as_of.position is None or settled is None:
        return
    ((last,),) = settled.fetchall()
    if as_of.position > last:
        raise NotSettled(as_of.position, last)


def refuse_missing(as_of: AsOf, versions: dict[str, int]) -> None:
    for stream_id, version in versions.items():
        if as_of.version is not None and as_of.version != version:
            raise NoSuchVersion(stream_id, as_of.version, version)


def refuse_holes(
    connection: psycopg.Connection[Any], pasts: Mapping[str, StreamHistory], as_of: AsOf
) -> None:
    """
    Raise VersionsMissing if versions are missing after the stream's end at that time.

    A missing event may have occurred before that time, so the state is unknown. A
    stream that has the requested version is complete up to it.
    """
    asked = {
        stream_id: past.version
        for stream_id, past in pasts.items()
        if as_of.version is None or past.version < as_of.version
    }
    if not asked:
        return
    rows = connection.execute(
        """
        SELECT a.stream_id, a.version + 1, behind.version - 1
        FROM unnest(%s::text[], %s::int[]) AS a (stream_id, version)
        CROSS JOIN LATERAL (
            SELECT e.version FROM public.events AS e
            WHERE e.stream_id = a.stream_id AND e.version > a.version
            ORDER BY e.version LIMIT 1
        ) AS behind
        WHERE behind.version <> a.version + 1
        """,
        (list(asked), list(asked.values())),
    )
    for stream_id, first, last in rows:
        raise VersionsMissing(stream_id, first, last)


def read_as_of(
    connection: psycopg.Connection[Any],
    stream_id: str,
    as_of: AsOf,
    *,
    after: int = 0,
    backwards: bool = False,
    limit: int | None = None,
) -> list[RecordedEvent]:
    """
    Return the events that a stream had then, in order.

    *after* is a version: only the events behind it are returned. *backwards* begins
    with the last of them. Without *limit* all are returned.

    Raises NoSuchVersion and NotSettled as `load_as_of` does.
    """
    version = versions_as_of(connection, [stream_id], as_of)[stream_id]
    return read_stream(
        connection,
        stream_id,
        after=after,
        up_to=version,
        backwards=backwards,
        limit=limit,
    )

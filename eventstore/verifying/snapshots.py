"""Snapshots: does each say what a full replay of its stream gives."""

from collections.abc import Iterator
from typing import Any

import psycopg

from eventstore.aggregates.decider import Decider, Deciders, category_of
from eventstore.aggregates.history import check_versions
from eventstore.aggregates.loading import decrypt_snapshot
from eventstore.aggregates.snapshots import Snapshot
from eventstore.errors.text import error_text
from eventstore.errors.unreadable import CorruptSnapshot, TamperedEnvelope
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from eventstore.verifying.finding import Advance, Check, Finding

NAME = "snapshots"
SAMPLE = 100
"""Snapshots that are looked at, where not all are asked for."""
PAGE = 1_000
"""Events that are read at once: the longest stream takes no more memory."""


def snapshots_check(deciders: Deciders, *, is_all: bool) -> Check:
    """Return the check of every snapshot, or of a sample taken by chance."""
    most = None if is_all else SAMPLE

    def length(connection: psycopg.Connection[Any]) -> int:
        row = connection.execute("SELECT count(*) FROM public.snapshots").fetchone()
        return min(row[0], SAMPLE) if row and most else (row[0] if row else 0)

    def find(
        connection: psycopg.Connection[Any], advance: Advance
    ) -> Iterator[Finding]:
        return find_wrong(connection, advance, deciders, most)

    return Check(name=NAME, length=length, find=find)


def find_wrong(
    connection: psycopg.Connection[Any],
    advance: Advance,
    deciders: Deciders,
    most: int | None,
) -> Iterator[Finding]:
    """Yield snapshots that are not what a replay up to their version gives."""
    for stream_id in choose_streams(connection, most):
        snapshot = read_snapshot(connection, stream_id, deciders)
        if snapshot is not None:
            keyring = Keyring(connection, deciders.masters)
            yield from judge(
                connection, keyring, deciders.of_stream(stream_id), snapshot
            )
        advance(1)


def choose_streams(
    connection: psycopg.Connection[Any], most: int | None
) -> Iterator[str]:
    """Yield the streams whose snapshots are looked at: so many by chance, or all."""
    if most is not None:
        rows = connection.execute(
            "SELECT stream_id FROM public.snapshots ORDER BY random() LIMIT %s", (most,)
        ).fetchall()
        yield from (stream_id for (stream_id,) in rows)
        return
    after = ""
    while True:
        rows = connection.execute(
            """
            SELECT stream_id FROM public.snapshots
            WHERE stream_id > %s ORDER BY stream_id LIMIT %s
            """,
            (after, PAGE),
        ).fetchall()
        if not rows:
            return
        yield from (stream_id for (stream_id,) in rows)
        after = rows[-1][0]


def read_snapshot(
    connection: psycopg.Connection[Any], stream_id: str, deciders: Deciders
) -> Snapshot | None:
    """Return a snapshot that this code would load from; older ones are ignored."""
    if category_of(stream_id) not in deciders.by_category:
        return None
    row = connection.execute(
        """
        SELECT
            s.stream_id, s.version, s.state::text, s.fingerprint, s.checksum,
            public.why_refused(
                s.stream_id, s.version, s.event_id, s.fingerprint, %s::text[]
            )
        FROM public.snapshots AS s
        WHERE s.stream_id = %s
        """,
        (deciders.fingerprints, stream_id),
    ).fetchone()
    if row is None or row[5] == "stale":
        return None
    names = ("stream_id", "version", "state", "fingerprint", "checksum", "refused")
    return Snapshot(**dict(zip(names, row, strict=True)))


def judge(
    connection: psycopg.Connection[Any],
    keyring: Keyring,
    decider: Decider,
    snapshot: Snapshot,
) -> Iterator[Finding]:
    """Yield the findings about a snapshot."""
    what = detail = ""
    if snapshot.refused is not None:
        what = "its stream has not the event that it ends with"
    else:
        try:
            kept = decider.snapshots.decode(decrypt_snapshot(snapshot, keyring))
            if kept != replay(connection, keyring, decider, snapshot):
                what = "it is not what a replay gives"
        except (CorruptSnapshot, TamperedEnvelope):
            what = "it is not what was written"
        except psycopg.Error:
            raise
        except Exception as error:
            # Whatever a decider makes of an event that was tampered with.
            what, detail = "its stream cannot be replayed", error_text(error)
    if what:
        yield Finding(
            check=NAME,
            what=what,
            stream_id=snapshot.stream_id,
            version=snapshot.version,
            detail=detail,
        )


def replay(
    connection: psycopg.Connection[Any],
    keyring: Keyring,
    decider: Decider,
    snapshot: Snapshot,
) -> Any:
    """Return the state that the events of a stream make, up to a snapshot's version."""
    state = decider.initial
    for after in range(0, snapshot.version, PAGE):
        up_to = min(after + PAGE, snapshot.version)
        events = read_stream(connection, snapshot.stream_id, after=after, up_to=up_to)
        check_versions(snapshot.stream_id, events, after)
        state = decider.state_after(state, keyring.decrypt_events(events))
    return state

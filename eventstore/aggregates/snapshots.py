"""
Snapshots: the state of a stream at a version. A cache; the whole table can be emptied.

One is used only if it is certainly right. Its fingerprint identifies the shape of the
state and the rules that made it, its checksum detects changes, and the database checks
that the stream has the same last event.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

import msgspec
import psycopg

from eventstore.encryption.personal_fields import holds_personal
from eventstore.errors.unreadable import CorruptSnapshot, UnkeepableState
from eventstore.ids import NAMESPACE
from eventstore.log.code_version import code_version
from eventstore.type_shape import shape_of

# Sets and dictionaries in a fixed order: equal states have equal texts.
_encoder = msgspec.json.Encoder(order="deterministic")
# The errors of reading and writing JSON of a class, its own checks included.
_FAULTS = (msgspec.MsgspecError, TypeError, ValueError, RecursionError)

CORRUPT = "corrupt"
"""
The reason for ignoring a snapshot that cannot be read, or has another checksum.

The database finds the other two reasons, `stale` and `too_new`: see `load.sql`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    A stored snapshot:

    *state* is JSON, *refused* the reason why it cannot be used.
    """

    stream_id: str
    version: int
    state: str
    fingerprint: str
    checksum: str
    refused: str | None = None


class SnapshotCodec:
    """
    The state of a category to snapshots and back.

    The fingerprint covers the code that makes the state: all *folds*, functions and
    classes, with the modules that they import. Raise *snapshot_version* by hand if
    something else that they depend on has changed.
    """

    def __init__(
        self,
        category: str,
        initial: Any,
        snapshot_version: int,
        folds: Sequence[Any] = (),
    ) -> None:
        self.initial = initial
        self._shape = [category, shape_of(type(initial)), initial, snapshot_version]
        self._folds = folds
        self._decoder = msgspec.json.Decoder(type(initial))
        # All of a state is encrypted, if any of it is personal.
        self.personal = names_in(initial) if holds_personal(type(initial)) else ()

    @cached_property
    def code(self) -> str | None:
        """The hash of the code that folds, or None if its source is not available."""
        return code_version([type(self.initial), *self._folds])

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint that a usable snapshot has; computed at first use."""
        shape = [*self._shape, self.code or f"unknown {uuid4()}"]
        return hashlib.sha256(_encoder.encode(shape)).hexdigest()[:32]

    def encode(self, stream_id: str, version: int, state: Any) -> Snapshot:
        """
        Return the snapshot of a state.

        Raises UnkeepableState for a state that would not be restored exactly, or if the
        source of its code is not available.
        """
        if self.code is None:
            raise UnkeepableState(stream_id, "the source of its code is not available")
        try:
            text = _encoder.encode(state).decode()
            comes_back = self._decoder.decode(text) == state
        except _FAULTS as error:
            raise UnkeepableState(stream_id, type(error).__name__) from error
        if not comes_back or r"\u0000" in text:
            raise UnkeepableState(stream_id, "it does not come back as it was")
        return Snapshot(
            stream_id=stream_id,
            version=version,
            state=text,
            fingerprint=self.fingerprint,
            checksum=checksum_of(stream_id, version, self.fingerprint, text),
        )

    def decode(self, snapshot: Snapshot) -> Any:
        """Return the state. Raises CorruptSnapshot if the stored bytes were changed."""
        try:
            state = self._decoder.decode(snapshot.state)
        except _FAULTS as error:
            raise CorruptSnapshot(snapshot.stream_id) from error
        # The database formats JSON in its own way: encode it again for the checksum.
        text = _encoder.encode(state).decode()
        kept = (snapshot.stream_id, snapshot.version, self.fingerprint, text)
        if checksum_of(*kept) != snapshot.checksum:
            raise CorruptSnapshot(snapshot.stream_id)
        return state


def names_in(state: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(state))


def id_of(stream_id: str, version: int) -> UUID:
    """Return the id that is authenticated with a snapshot's envelope."""
    return uuid5(NAMESPACE, f"snapshot\n{stream_id}\n{version}")


def checksum_of(stream_id: str, version: int, fingerprint: str, state: str) -> str:
    """Return a hash over all fields of a snapshot."""
    content = msgspec.json.encode([stream_id, version, fingerprint, state])
    return hashlib.sha256(content).hexdigest()


def keep(connection: psycopg.Connection[Any], taken: Sequence[Snapshot]) -> None:
    """
    Write snapshots in one statement; each replaces its stream's older one.

    One of a version that its stream does not have is not written.
    """
    if not taken:
        return
    ordered = sorted(taken, key=lambda snapshot: snapshot.stream_id)
    connection.execute(
        """
        INSERT INTO public.snapshots AS s
            (stream_id, version, state, fingerprint, checksum, event_id)
        SELECT
            t.stream_id, t.version, t.state, t.fingerprint, t.checksum,
            last_event.event_id
        FROM unnest(%s::text[], %s::int[], %b::text[]::jsonb[], %s::text[], %s::text[])
            AS t (stream_id, version, state, fingerprint, checksum)
        -- OFFSET 0 keeps the planner at one look by key for each.
        CROSS JOIN LATERAL (
            SELECT e.metadata ->> 'event_id' AS event_id
            FROM public.events AS e
            WHERE e.stream_id = t.stream_id AND e.version = t.version
            OFFSET 0
        ) AS last_event
        ON CONFLICT (stream_id) DO UPDATE SET
            version = excluded.version,
            state = excluded.state,
            fingerprint = excluded.fingerprint,
            checksum = excluded.checksum,
            event_id = excluded.event_id,
            taken_at = clock_timestamp()
        """,
        (
            [snapshot.stream_id for snapshot in ordered],
            [snapshot.version for snapshot in ordered],
            [snapshot.state for snapshot in ordered],
            [snapshot.fingerprint for snapshot in ordered],
            [snapshot.checksum for snapshot in ordered],
        ),
    )


def count_ignored(
    connection: psycopg.Connection[Any], reasons: Mapping[str, str]
) -> list[str]:
    """
    Count that the snapshots of these streams were ignored, and why; return which.

    A row that another process is writing is skipped, since a cache is not worth a wait.
    """
    rows = connection.execute(
        """
        WITH free AS MATERIALIZED (
            SELECT s.stream_id FROM public.snapshots AS s
            WHERE s.stream_id = ANY (%(streams)s)
            ORDER BY s.stream_id
            FOR UPDATE SKIP LOCKED
        )
        UPDATE public.snapshots AS s
        SET ignored = s.ignored + 1,
            ignored_because = r.reason,
            ignored_at = clock_timestamp()
        FROM free
        JOIN unnest(%(streams)s::text[], %(reasons)s::text[]) AS r (stream_id, reason)
            USING (stream_id)
        WHERE s.stream_id = free.stream_id
        RETURNING s.stream_id
        """,
        {"streams": list(reasons), "reasons": list(reasons.values())},
    )
    return [stream_id for (stream_id,) in rows]


class SnapshotCount(NamedTuple):
    """The number of streams with a snapshot, and of ignored snapshots."""

    streams: int
    ignored: int


def count_snapshots(connection: psycopg.Connection[Any]) -> SnapshotCount:
    """Return how many snapshots there are, and how often one was ignored."""
    (row,) = connection.execute(
        "SELECT count(*), coalesce(sum(ignored), 0)::bigint FROM public.snapshots"
    )
    return SnapshotCount(*row)

"""The snapshot taker: a subscription that notices which streams have grown."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.aggregates.history import read_histories
from eventstore.aggregates.loading import (
    StartingPoint,
    Streams,
    fold,
    snapshots_of,
    starting_points,
)
from eventstore.aggregates.snapshots import count_ignored, keep
from eventstore.errors.text import error_text
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring
from eventstore.subscriptions.subscription import Subscription

log = logging.getLogger(__name__)

NAME = "snapshots"
MAX_EVENTS = 20_000
"""The highest number of events read for one batch."""


@dataclass(frozen=True, slots=True)
class SnapshotPolicy:
    """
    After how many events a stream gets a snapshot; None is never.

    *every* is the number of events for categories that are not in *by_category*, which
    has numbers of events by category.
    """

    # Measured: of what loads and snapshots cost together, 12 to 17 events is the least.
    every: int | None = 20
    by_category: Mapping[str, int | None] = field(default_factory=dict)

    def of(self, stream_id: str) -> float:
        """
        Return the number of events by which a stream must have grown; infinite: never.
        """
        every = self.by_category.get(category_of(stream_id), self.every)
        return math.inf if every is None else every


def snapshot_taker(
    deciders: Deciders,
    *,
    policy: SnapshotPolicy,
    interruptions: tuple[type[Exception], ...] = (),
) -> Subscription:
    """
    Return the subscription that takes snapshots of streams that have grown by *policy*.

    *interruptions* are the errors that a runner's own time limit raises.
    """
    taker = SnapshotTaker(deciders, policy, interruptions)
    return Subscription(name=NAME, types=None, handler=taker.take)


def ensure_snapshot_taker(connection: psycopg.Connection[Any]) -> None:
    """Make its checkpoint if there is none: it computes, so it begins with the log."""
    connection.execute(
        """
        INSERT INTO public.subscriptions (name) VALUES (%s)
        ON CONFLICT (name) DO NOTHING
        """,
        (NAME,),
    )


@dataclass(frozen=True, slots=True)
class SnapshotTaker:
    """What takes them. It passes over a stream that it cannot read."""

    deciders: Deciders
    policy: SnapshotPolicy
    interruptions: tuple[type[Exception], ...]

    def take(
        self, connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        """Take snapshots of the streams of *events* that are due: three statements."""
        due = self.find_due(connection, self.grown(events))
        if not due:
            return
        # Up to what this batch has, not to the head: what is read stays bounded.
        pasts = read_histories(connection, due, self.deciders.fingerprints, up_to=due)
        streams = Streams()
        ignored = {}
        keyring = Keyring(connection, self.deciders.masters)
        starts = starting_points(connection, pasts, self.deciders, keyring)
        for stream_id, start in starts.items():
            if self.brings_up(stream_id, start, streams):
                streams.versions[stream_id] = pasts[stream_id].version
            if start.ignored is not None:
                ignored[stream_id] = start.ignored
        if ignored:
            count_ignored(connection, ignored)
        taken = snapshots_of(streams.versions, streams, self.deciders, keyring)
        keep(connection, taken)

    def grown(self, events: Iterable[RecordedEvent]) -> dict[str, int]:
        """Return the versions of the streams that are long enough for a snapshot."""
        versions = {event.stream_id: event.version for event in events}
        grown = {}
        for stream_id, version in versions.items():
            if version < self.policy.of(stream_id):
                continue
            if category_of(stream_id) in self.deciders.by_category:
                grown[stream_id] = version
            else:
                log.info("no snapshot stream=%s reason=no decider", stream_id)
        return grown

    def find_due(
        self, connection: psycopg.Connection[Any], grown: Mapping[str, int]
    ) -> dict[str, int]:
        """
        Return the streams that have grown enough since their snapshot, and up to where.

        The longest way first, until the bound is reached: a stream that is left, or is
        brought half of its way, is due again with its next event.
        """
        if not grown:
            return {}
        rows = connection.execute(
            """
            SELECT stream_id, version FROM public.snapshots
            WHERE stream_id = ANY (%s) AND fingerprint = ANY (%s::text[])
            """,
            (list(grown), self.deciders.fingerprints),
        )
        kept: dict[str, int] = dict(rows.fetchall())
        ways = {s: version - kept.get(s, 0) for s, version in grown.items()}
        due = {}
        left = MAX_EVENTS
        for stream_id in sorted(ways, key=lambda s: (-ways[s], s)):
            way = min(ways[stream_id], left)
            if way <= 0:
                break
            if ways[stream_id] < self.policy.of(stream_id):
                continue
            due[stream_id] = kept.get(stream_id, 0) + way
            left -= way
        return due

    def brings_up(self, stream_id: str, start: StartingPoint, streams: Streams) -> bool:
        """Fold a stream into *streams*; return False where that fails."""
        decider = self.deciders.of_stream(stream_id)
        try:
            state = fold(decider, stream_id, start)
        except self.interruptions:
            raise
        except Exception as error:
            # An event of an unknown type, a hole, or a bug: it would come again.
            log.warning("no snapshot stream=%s reason=%s", stream_id, error_text(error))
            return False
        streams.states[stream_id] = state
        return True

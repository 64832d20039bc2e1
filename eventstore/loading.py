"""Loading: streams to their states, from their snapshots on, in one round trip."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from eventstore.decider import Decider, Deciders
from eventstore.errors import CorruptSnapshot, UnkeepableState, told
from eventstore.log.events import RecordedEvent
from eventstore.log.read import Past, read_pasts
from eventstore.log.snapshots import CORRUPT, Snapshot, count_ignored, keep

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Streams:
    """States and versions of streams, as a command is decided on them."""

    states: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


class Start(NamedTuple):
    """A state and the events behind it; *ignored* says why its snapshot was no use."""

    state: Any
    events: Sequence[RecordedEvent]
    ignored: str | None = None


def load(
    connection: psycopg.Connection[Any], stream_ids: Iterable[str], deciders: Deciders
) -> Streams:
    """Return the streams as their events leave them, in one round trip."""
    pasts = read_pasts(connection, stream_ids, deciders.fingerprints)
    return brought_up(connection, pasts, deciders)


def brought_up(
    connection: psycopg.Connection[Any], pasts: Mapping[str, Past], deciders: Deciders
) -> Streams:
    """Return the states of what was read; replace the snapshots that are no use."""
    streams = Streams()
    ignored = {}
    for stream_id, start in starts_of(connection, pasts, deciders).items():
        decider = deciders.of_stream(stream_id)
        streams.states[stream_id] = decider.state_after(start.state, start.events)
        streams.versions[stream_id] = pasts[stream_id].version
        if start.ignored is not None:
            ignored[stream_id] = start.ignored
    if ignored:
        replace_ignored(connection, ignored, streams, deciders)
    return streams


def starts_of(
    connection: psycopg.Connection[Any], pasts: Mapping[str, Past], deciders: Deciders
) -> dict[str, Start]:
    """
    Return where each stream's state begins: at its snapshot, or at the first state.

    A stream whose snapshot turns out to be corrupt is read once more, in full.
    """
    starts = {
        stream_id: start_of(deciders.of_stream(stream_id), past)
        for stream_id, past in pasts.items()
    }
    corrupt = {
        stream_id: pasts[stream_id].version
        for stream_id, start in starts.items()
        if start.ignored == CORRUPT
    }
    if corrupt:
        whole = read_pasts(connection, corrupt, None, up_to=corrupt)
        for stream_id, past in whole.items():
            initial = deciders.of_stream(stream_id).initial
            starts[stream_id] = Start(initial, past.events, CORRUPT)
    return starts


def start_of(decider: Decider, past: Past) -> Start:
    snapshot = past.snapshot
    if snapshot is None:
        return Start(decider.initial, past.events)
    if snapshot.refused is not None:
        return Start(decider.initial, past.events, snapshot.refused)
    try:
        return Start(decider.snapshots.decode(snapshot), past.events)
    except CorruptSnapshot:
        return Start(decider.initial, (), CORRUPT)


def replace_ignored(
    connection: psycopg.Connection[Any],
    reasons: Mapping[str, str],
    streams: Streams,
    deciders: Deciders,
) -> None:
    """
    Count snapshots that were no use, and put right ones in their place.

    In a transaction of its own, or behind a savepoint of the caller's: whatever becomes
    of a cache, the command that met it goes on.
    """
    try:
        with connection.transaction():
            counted = count_ignored(connection, reasons)
            keep(connection, snapshots_of(counted, streams, deciders))
    except psycopg.Error as error:
        log.warning("snapshots not replaced error=%s", told(error))
        return
    for stream_id in counted:
        reason = reasons[stream_id]
        log.warning("snapshot ignored stream=%s reason=%s", stream_id, reason)


def snapshots_of(
    stream_ids: Iterable[str], streams: Streams, deciders: Deciders
) -> list[Snapshot]:
    """Return snapshots of streams; one whose state cannot be kept is passed over."""
    snapshots = []
    for stream_id in stream_ids:
        codec = deciders.of_stream(stream_id).snapshots
        state, version = streams.states[stream_id], streams.versions[stream_id]
        if not version:
            # Of an empty stream there is nothing to keep.
            continue
        try:
            snapshots.append(codec.encode(stream_id, version, state))
        except UnkeepableState as error:
            log.warning("no snapshot stream=%s reason=%s", stream_id, told(error))
    return snapshots

"""Loading: streams to their states, from their snapshots on, in one round trip."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.aggregates.decider import Decider, Deciders, the_stream
from eventstore.aggregates.history import (
    StreamHistory,
    check_versions,
    read_histories,
    read_histories_and_keys,
)
from eventstore.aggregates.snapshots import (
    CORRUPT,
    Snapshot,
    count_ignored,
    id_of,
    keep,
)
from eventstore.encryption.envelope import keys_in
from eventstore.errors.text import error_text
from eventstore.errors.unreadable import (
    CorruptSnapshot,
    TamperedEnvelope,
    UnkeepableState,
)
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Streams:
    """
    States and versions of streams, as a command is decided on them.

    *states* and *versions* have each stream by its id.
    """

    states: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


class StartingPoint(NamedTuple):
    """
    A state, the events behind it, and the version that they follow.

    *ignored* is the reason why its snapshot was ignored.
    """

    state: Any
    events: Sequence[RecordedEvent]
    version: int = 0
    ignored: str | None = None


def load(
    connection: psycopg.Connection[Any],
    stream_ids: Iterable[str],
    deciders: Deciders,
    keyring: Keyring | None = None,
) -> Streams:
    """
    Return the states of streams as their events leave them, and their versions.

    It takes one round trip, or two where personal fields are encrypted with keys other
    than the streams' own. *keyring* keeps the keys for what is written afterwards.

    Raises VersionsMissing for a stream with a hole.
    """
    keyring = keyring or Keyring(connection, deciders.masters)
    pasts = find_histories(connection, stream_ids, deciders, keyring)
    return fold_histories(connection, pasts, deciders, keyring)


def find_histories(
    connection: psycopg.Connection[Any],
    stream_ids: Iterable[str],
    deciders: Deciders,
    keyring: Keyring,
) -> Mapping[str, StreamHistory]:
    """Return the histories of streams, by their ids, with their own keys."""
    streams = list(dict.fromkeys(stream_ids))
    subjects = [one for one in streams if may_need_own_key(one, deciders, keyring)]
    if not subjects:
        return read_histories(connection, streams, deciders.fingerprints)
    pasts, along = read_histories_and_keys(
        connection, streams, deciders.fingerprints, subjects
    )
    keyring.preload(along)
    return pasts


def may_need_own_key(stream_id: str, deciders: Deciders, keyring: Keyring) -> bool:
    """Say whether a stream is called as its subject, whose key is not here yet."""
    decider = deciders.of_stream(stream_id)
    is_personal = decider.snapshots.personal and decider.subject is the_stream
    return bool(is_personal and keyring.wants_own(stream_id))


def fold_histories(
    connection: psycopg.Connection[Any],
    pasts: Mapping[str, StreamHistory],
    deciders: Deciders,
    keyring: Keyring | None = None,
) -> Streams:
    """Return the states of the histories; replace unusable snapshots."""
    keyring = keyring or Keyring(connection, deciders.masters)
    streams, ignored = fold_from_starts(connection, pasts, deciders, keyring)
    if ignored:
        replace_ignored(connection, ignored, streams, deciders, keyring)
    return streams


def fold_from_starts(
    connection: psycopg.Connection[Any],
    pasts: Mapping[str, StreamHistory],
    deciders: Deciders,
    keyring: Keyring,
) -> tuple[Streams, Mapping[str, str]]:
    """
    Return the states of the histories, and by stream why a snapshot was ignored.

    Nothing is written.
    """
    streams = Streams()
    ignored = {}
    for stream_id, start in starting_points(
        connection, pasts, deciders, keyring
    ).items():
        decider = deciders.of_stream(stream_id)
        streams.states[stream_id] = fold(decider, stream_id, start)
        streams.versions[stream_id] = pasts[stream_id].version
        if start.ignored is not None:
            ignored[stream_id] = start.ignored
    return streams, ignored


def starting_points(
    connection: psycopg.Connection[Any],
    pasts: Mapping[str, StreamHistory],
    deciders: Deciders,
    keyring: Keyring,
) -> dict[str, StartingPoint]:
    """
    Return where each stream's state begins: at its snapshot, or at the first state.

    A stream whose snapshot turns out to be corrupt is read once more, in full.
    """
    learn_keys(pasts.values(), keyring)
    starts = {
        stream_id: starting_point(deciders.of_stream(stream_id), past, keyring)
        for stream_id, past in pasts.items()
    }
    corrupt = {
        stream_id: pasts[stream_id].version
        for stream_id, start in starts.items()
        if start.ignored == CORRUPT
    }
    if corrupt:
        whole = read_histories(connection, corrupt, None, up_to=corrupt)
        for stream_id, past in whole.items():
            initial = deciders.of_stream(stream_id).initial
            events = keyring.decrypt_events(past.events)
            starts[stream_id] = StartingPoint(initial, events, ignored=CORRUPT)
    return starts


def learn_keys(pasts: Iterable[StreamHistory], keyring: Keyring) -> None:
    """Fetch the keys of all histories, in one query."""
    keys: set[UUID] = set()
    for past in pasts:
        keys |= keys_in([event.data for event in past.events])
        keys |= keys_in([past.snapshot.state] if past.snapshot else ())
    keyring.learn(keys)


def starting_point(
    decider: Decider, past: StreamHistory, keyring: Keyring
) -> StartingPoint:
    events = keyring.decrypt_events(past.events)
    snapshot = past.snapshot
    if snapshot is None:
        return StartingPoint(decider.initial, events)
    if snapshot.refused is not None:
        return StartingPoint(decider.initial, events, ignored=snapshot.refused)
    try:
        state = decider.snapshots.decode(decrypt_snapshot(snapshot, keyring))
    except (CorruptSnapshot, TamperedEnvelope):
        return StartingPoint(decider.initial, (), ignored=CORRUPT)
    return StartingPoint(state, events, snapshot.version)


def fold(decider: Decider, stream_id: str, start: StartingPoint) -> Any:
    """
    Return the state of a stream, folded from its starting point.

    Raises VersionsMissing if an event is missing: after an event was deleted, or lost
    by a restore, commands must not be decided as if it had never happened.
    """
    check_versions(stream_id, start.events, start.version)
    return decider.state_after(start.state, start.events)


def decrypt_snapshot(snapshot: Snapshot, keyring: Keyring) -> Snapshot:
    about = id_of(snapshot.stream_id, snapshot.version)
    return replace(snapshot, state=keyring.decrypt(snapshot.state, about))


def encrypt_snapshot(
    snapshot: Snapshot, decider: Decider, keyring: Keyring
) -> Snapshot | None:
    """
    Return the stored form of a snapshot, encrypted if its state is personal.

    None if its subject has no key: all its events are older than the keys, or it was
    forgotten. A snapshot never makes one.
    """
    names, subject = decider.snapshots.personal, snapshot.stream_id
    if not names or keyring.masters is None:
        return snapshot
    if not keyring.has_key(subject):
        return None
    about = id_of(subject, snapshot.version)
    closed = keyring.close_fields(snapshot.state, names, subject, about)
    return replace(snapshot, state=closed)


def replace_ignored(
    connection: psycopg.Connection[Any],
    reasons: Mapping[str, str],
    streams: Streams,
    deciders: Deciders,
    keyring: Keyring,
) -> None:
    """
    Count unusable snapshots, and replace them.

    In a transaction of its own, or in a savepoint of the caller's: an error of the
    cache must not stop the command.
    """
    try:
        with connection.transaction():
            counted = count_ignored(connection, reasons)
            keep(connection, snapshots_of(counted, streams, deciders, keyring))
    except psycopg.Error as error:
        log.warning("snapshots not replaced error=%s", error_text(error))
        return
    for stream_id in counted:
        reason = reasons[stream_id]
        log.warning("snapshot ignored stream=%s reason=%s", stream_id, reason)


def keep_snapshot(
    connection: psycopg.Connection[Any],
    stream_id: str,
    streams: Streams,
    deciders: Deciders,
    keyring: Keyring,
) -> None:
    """
    Keep a snapshot of a stream as it was loaded, if that can be.

    Errors are logged only: a cache must not stop a command.
    """
    try:
        with connection.transaction():
            keep(connection, snapshots_of([stream_id], streams, deciders, keyring))
    except psycopg.Error as error:
        log.warning("no snapshot stream=%s reason=%s", stream_id, error_text(error))


def snapshots_of(
    stream_ids: Iterable[str], streams: Streams, deciders: Deciders, keyring: Keyring
) -> list[Snapshot]:
    """Return snapshots of streams, without those whose state cannot be stored."""
    snapshots = []
    for stream_id in stream_ids:
        decider = deciders.of_stream(stream_id)
        state, version = streams.states[stream_id], streams.versions[stream_id]
        if not version:
            # An empty stream has no snapshot.
            continue
        try:
            snapshot = decider.snapshots.encode(stream_id, version, state)
            closed = encrypt_snapshot(snapshot, decider, keyring)
            snapshots += [closed] if closed else []
        except UnkeepableState as error:
            log.warning("no snapshot stream=%s reason=%s", stream_id, error_text(error))
    return snapshots

"""What a store in memory keeps, and how the rules of the append change it."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from eventstore.claims import ClaimChange
from eventstore.errors import AlreadyClaimed, Clash, WrongExpectedVersion
from eventstore.log.append import ANY_VERSION, STREAM_EXISTS
from eventstore.log.events import AppendedEvent, NewEvent, RecordedEvent
from eventstore.testing.memory.jsonb import as_jsonb
from eventstore.testing.memory.vault import MemoryVault

NewEvents = Sequence[tuple[str, NewEvent]]
Claimed = Mapping[tuple[str, bytes], str]


@dataclass(slots=True)
class MemoryLog:
    """
    Events, claims and keys; under the *lock*, an append is visible as a whole.

    *clock* returns the time of events that have none of their own.
    """

    clock: Callable[[], datetime]
    events: list[RecordedEvent] = field(default_factory=list)
    streams: dict[str, list[RecordedEvent]] = field(default_factory=dict)
    claims: Claimed = field(default_factory=dict)
    vault: MemoryVault = field(default_factory=MemoryVault)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def stream(self, stream_id: str) -> Sequence[RecordedEvent]:
        return self.streams.get(stream_id, ())

    def append(
        self,
        events: NewEvents,
        expected: Mapping[str, int],
        claims: Sequence[ClaimChange],
        new_keys: str | None,
        forgotten: Sequence[str],
    ) -> list[AppendedEvent]:
        """Append, in the order of `append.sql`: what may refuse before what changes."""
        unnamed = {stream_id for stream_id, _ in events} - expected.keys()
        if unnamed:
            raise KeyError(min(unnamed))
        with self.lock:
            refusal = self.wrong_version(expected)
            if refusal is not None:
                repeated = self.repeated(events, expected)
                if repeated is not None:
                    return repeated
                raise refusal
            new_claims = change_claims(self.claims, claims)
            vault = self.vault.copy()
            vault.keep(new_keys)
            vault.destroy(forgotten)
            recorded = self.recorded(events, self.clock())
            # From here on nothing fails.
            self.claims, self.vault = new_claims, vault
            for event in recorded:
                self.streams.setdefault(event.stream_id, []).append(event)
                self.events.append(event)
        return [AppendedEvent(e.position, e.stream_id, e.version) for e in recorded]

    def wrong_version(self, expected: Mapping[str, int]) -> WrongExpectedVersion | None:
        """Return what refuses an append: the first stream that is not as expected."""
        for stream_id, version in expected.items():
            head = len(self.stream(stream_id))
            if version == ANY_VERSION or (version == STREAM_EXISTS and head):
                continue
            if version != head:
                return WrongExpectedVersion(stream_id, version, head)
        return None

    def repeated(
        self, events: NewEvents, expected: Mapping[str, int]
    ) -> list[AppendedEvent] | None:
        """Return where *events* are, if all of them are where they were to come."""
        places = []
        before: Counter[str] = Counter()
        for stream_id, event in events:
            before[stream_id] += 1
            version = expected[stream_id] + before[stream_id]
            stream = self.stream(stream_id)
            if expected[stream_id] < 0 or version > len(stream):
                return None
            there = stream[version - 1]
            if event_id_of(there) != str(event.metadata.event_id):
                return None
            places.append(AppendedEvent(there.position, stream_id, version))
        return sorted(places) if places else None

    def recorded(self, events: NewEvents, moment: datetime) -> list[RecordedEvent]:
        recorded: list[RecordedEvent] = []
        before: Counter[str] = Counter()
        for stream_id, event in events:
            before[stream_id] += 1
            stream = self.stream(stream_id)
            # A clock that was set back must not bend the order of a stream.
            now = max(moment, stream[-1].occurred_at) if stream else moment
            recorded.append(
                RecordedEvent(
                    position=len(self.events) + len(recorded) + 1,
                    stream_id=stream_id,
                    type=event.type,
                    version=len(stream) + before[stream_id],
                    data=as_jsonb(event.data),
                    metadata=metadata_of(event, moment),
                    occurred_at=event.occurred_at or now,
                )
            )
        return recorded


def change_claims(claims: Claimed, changes: Iterable[ClaimChange]) -> Claimed:
    """
    Return *claims* with *changes*, in the order in which `claim` takes them.

    Raises AlreadyClaimed with every one that is another stream's.
    """
    new = dict(claims)
    clashes = []
    for change in in_turn(changes):
        key = (change.scope, change.keyed_hash)
        if change.is_released:
            if new.get(key) == change.stream_id:
                del new[key]
        elif new.setdefault(key, change.stream_id) != change.stream_id:
            clashes.append(Clash(*key, change.stream_id, change.command_id))
    if clashes:
        raise AlreadyClaimed(clashes)
    return new


def in_turn(changes: Iterable[ClaimChange]) -> list[ClaimChange]:
    """Return *changes* by command, and of one command the releases first."""
    all_changes = list(changes)
    turns: dict[object, int] = {}
    for turn, change in enumerate(all_changes):
        turns.setdefault(change.command_id, turn)
    return sorted(all_changes, key=lambda c: (turns[c.command_id], not c.is_released))


def metadata_of(event: NewEvent, moment: datetime) -> str:
    written = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    metadata = {**msgspec.to_builtins(event.metadata), "recorded_at": written}
    return as_jsonb(msgspec.json.encode(metadata).decode())


def event_id_of(event: RecordedEvent) -> str:
    return str(msgspec.json.decode(event.metadata)["event_id"])

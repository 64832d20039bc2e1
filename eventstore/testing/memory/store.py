"""The store in memory: the rules of the one on PostgreSQL, without a database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from eventstore.aggregates.as_of import AsOf, refuse_missing
from eventstore.aggregates.command_handler import (
    DirectLog,
    Outcome,
    cause_of_direct,
    handle_on,
)
from eventstore.aggregates.decider import Deciders, category_of
from eventstore.aggregates.loading import Streams
from eventstore.claims import ClaimChange
from eventstore.errors import NotSettled
from eventstore.log.events import AppendedEvent, NewEvent, RecordedEvent
from eventstore.log.limits import check_append
from eventstore.personal.keyring import Keyring
from eventstore.store import NOW
from eventstore.testing.memory.log import MemoryLog


def now() -> datetime:
    return datetime.now(UTC)


class MemoryStore:
    """
    A log in memory, as the methods of `Store` tell it.

    Any number of threads may use it. Each call takes effect at once and for all: there
    are no transactions to roll back. Positions have no gaps here; in a database they
    may. *clock* tells when events without a time of their own happen.
    """

    def __init__(self, *, clock: Callable[[], datetime] = now) -> None:
        self._log = MemoryLog(clock)

    def append(
        self,
        events: Sequence[tuple[str, NewEvent]],
        *,
        expected: Mapping[str, int],
        claims: Sequence[ClaimChange] = (),
    ) -> list[AppendedEvent]:
        return self._append(events, expected=expected, claims=claims)

    def _append(
        self,
        events: Sequence[tuple[str, NewEvent]],
        *,
        expected: Mapping[str, int],
        claims: Sequence[ClaimChange] = (),
        new_keys: str | None = None,
        forgotten: Sequence[str] = (),
    ) -> list[AppendedEvent]:
        check_append(expected, events)
        return self._log.append(events, expected, claims, new_keys, forgotten)

    def version(self, stream_id: str, as_of: AsOf = NOW) -> int:
        with self._log.lock:
            stream = self._log.stream(stream_id)
            version = len(stream)
            if as_of.version is not None:
                version = min(as_of.version, version)
            elif as_of.position is not None:
                self._refuse_unsettled(as_of.position)
                version = sum(e.position <= as_of.position for e in stream)
            elif as_of.at is not None:
                later = (e.version for e in stream if e.occurred_at > as_of.at)
                version = next(later, version + 1) - 1
        refuse_missing(as_of, {stream_id: version})
        return version

    def _refuse_unsettled(self, position: int) -> None:
        settled = self.settled()
        if position > settled:
            raise NotSettled(position, settled)

    def read_stream(
        self,
        stream_id: str,
        *,
        as_of: AsOf = NOW,
        after: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> list[RecordedEvent]:
        with self._log.lock:
            version = self.version(stream_id, as_of)
            events = list(self._log.stream(stream_id)[max(after, 0) : version])
        if backwards:
            events.reverse()
        return events[:limit]

    def read_all(
        self,
        *,
        after: int = 0,
        up_to: int | None = None,
        types: Sequence[str] | None = None,
        category: str | None = None,
        backwards: bool = False,
    ) -> Iterator[RecordedEvent]:
        with self._log.lock:
            end = self.settled() if up_to is None else up_to
            self._refuse_unsettled(end)
            events = self._log.events[max(after, 0) : max(end, 0)]
        for event in reversed(events) if backwards else events:
            if types is not None and event.type not in types:
                continue
            if category is None or category_of(event.stream_id) == category:
                yield event

    def settled(self) -> int:
        with self._log.lock:
            return len(self._log.events)

    def load(
        self, stream_ids: Iterable[str], deciders: Deciders, as_of: AsOf = NOW
    ) -> Streams:
        keyring = Keyring(self._log.vault, deciders.masters)
        return self._load(stream_ids, deciders, keyring, as_of)

    def _load(
        self,
        stream_ids: Iterable[str],
        deciders: Deciders,
        keyring: Keyring,
        as_of: AsOf = NOW,
    ) -> Streams:
        with self._log.lock:
            read = {s: self.read_stream(s, as_of=as_of) for s in stream_ids}
        streams = Streams()
        for stream_id, events in read.items():
            decider, opened = (
                deciders.of_stream(stream_id),
                keyring.decrypt_events(events),
            )
            streams.states[stream_id] = decider.state_after(decider.initial, opened)
            streams.versions[stream_id] = len(events)
        return streams

    def handle(
        self,
        command: Any,
        *,
        deciders: Deciders,
        actor: str,
        stream_id: str | None = None,
        command_id: UUID | None = None,
    ) -> Outcome:
        log = DirectLog(
            keyring=Keyring(self._log.vault, deciders.masters),
            load=self._load,
            append=self._append,
        )
        cause = cause_of_direct(command_id, actor)
        return handle_on(log, command, deciders, cause, stream_id)

"""Ways to break a store in memory: it does something else than it is asked for."""

from collections.abc import Callable
from typing import Any

from eventstore import (
    AsOf,
    MemoryStore,
    Outcome,
    RecordedEvent,
)
from eventstore.testing.memory.log import MemoryLog

Broken = type[MemoryStore]


def appending(change: Callable[[MemoryStore, dict[str, Any]], Any]) -> Broken:
    """Return a store that changes what it appends, or answers what *change* does."""

    class Store(MemoryStore):
        def _append(self, events: Any, **given: Any) -> Any:
            call = {"claims": (), **given, "events": list(events)}
            answer = change(self, call)
            return super()._append(**call) if answer is None else answer

    return Store


def expecting(change: Callable[[int], int]) -> Broken:
    """Return a store that takes one expected version for another."""

    def changed(store: MemoryStore, call: dict[str, Any]) -> None:
        call["expected"] = {s: change(v) for s, v in call["expected"].items()}

    return appending(changed)


def claiming(change: Callable[[MemoryStore, Any], Any]) -> Broken:
    """Return a store that changes each claim, or forgets it."""

    def changed(store: MemoryStore, call: dict[str, Any]) -> None:
        claims = [change(store, claim) for claim in call["claims"]]
        call["claims"] = [claim for claim in claims if claim is not None]

    return appending(changed)


def answering(change: Callable[[list[Any]], list[Any]]) -> Broken:
    """Return a store that answers an append with something else."""

    class Store(MemoryStore):
        def _append(self, *args: Any, **given: Any) -> Any:
            return change(super()._append(*args, **given))

    return Store


def showing(change: Callable[[RecordedEvent], RecordedEvent]) -> Broken:
    """Return a store that shows other events in a stream than there are."""

    class Store(MemoryStore):
        def read_stream(self, *args: Any, **given: Any) -> Any:
            return [change(event) for event in super().read_stream(*args, **given)]

    return Store


def reading(change: Callable[[dict[str, Any]], object]) -> Broken:
    """Return a store that reads something else than it is asked for."""

    class Store(MemoryStore):
        def read_stream(self, *args: Any, **given: Any) -> Any:
            change(given)
            return super().read_stream(*args, **given)

        def read_all(self, **given: Any) -> Any:
            change(given)
            return super().read_all(**given)

    return Store


def asking(change: Callable[[MemoryStore, str, AsOf], AsOf]) -> Broken:
    """Return a store that takes one point of the past for another."""

    class Store(MemoryStore):
        def version(self, stream_id: str, as_of: AsOf = AsOf()) -> int:  # noqa: B008
            return super().version(stream_id, change(self, stream_id, as_of))

    return Store


def handling(change: Callable[[dict[str, Any]], Outcome | None]) -> Broken:
    """Return a store that handles another command; or answers what *change* does."""

    class Store(MemoryStore):
        def handle(self, command: Any, **given: Any) -> Any:
            call = {**given, "command": command}
            return change(call) or super().handle(**call)

    return Store


def log_of(store: MemoryStore) -> MemoryLog:
    return store._log


def head(store: MemoryStore, stream_id: str) -> int:
    return len(log_of(store).stream(stream_id))

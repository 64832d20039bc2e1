"""Compare the events of a file with the log: which streams are there already."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from eventstore.encryption.envelope import FORGOTTEN
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.errors import StreamsUsedOtherwise
from tasks.shop.stream_transfer.incoming import IncomingEvent
from tasks.shop.stream_transfer.reading import read_streams


def streams_there(
    connection: psycopg.Connection[Any],
    found: Sequence[IncomingEvent],
    keyring: Keyring,
) -> set[str]:
    """
    Return the streams whose events were all imported before; they may have more.

    Raises StreamsUsedOtherwise, which names streams that have other events.
    """
    arriving: dict[str, list[IncomingEvent]] = {}
    for one in found:
        arriving.setdefault(one.line.stream_id, []).append(one)
    kept: dict[str, list[RecordedEvent]] = {}
    for event in keyring.decrypt_events(read_streams(connection, list(arriving))):
        kept.setdefault(event.stream_id, []).append(event)
    reasons = {
        name: reason
        for name in kept
        if (reason := otherwise(arriving[name], kept[name])) is not None
    }
    if reasons:
        raise StreamsUsedOtherwise(reasons)
    return set(kept)


def otherwise(
    arriving: Sequence[IncomingEvent], kept: Sequence[RecordedEvent]
) -> str | None:
    """Return how a stream differs from the imported events; None if not at all."""
    for one, event in zip(arriving, kept, strict=False):
        metadata = msgspec.json.decode(event.metadata, type=Metadata)
        if metadata.event_id != one.event_id:
            return "has other events"
        if not is_same(one, event):
            return "was imported with other content"
    if len(kept) < len(arriving):
        return f"was imported with {len(kept):,} of these {len(arriving):,} events"
    return None


def is_same(one: IncomingEvent, event: RecordedEvent) -> bool:
    ours: dict[str, Any] = msgspec.json.decode(one.data)
    there: dict[str, Any] = msgspec.json.decode(event.data)
    if FORGOTTEN in there:
        # The subject was forgotten: the data cannot be compared any more.
        ours = {name: ours[name] for name in ours if name in there}
        there = {name: there[name] for name in ours}
    return (one.line.type, ours) == (event.type, there)

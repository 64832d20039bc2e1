"""Read streams for an export: their events, decrypted."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from eventstore.aggregates.decider import Decider
from eventstore.encryption.envelope import FORGOTTEN, PERSONAL
from eventstore.errors import EventStoreError
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.log.limits import is_storable
from eventstore.log.read import COLUMNS
from tasks.shop.stream_transfer.errors import BadMetadata


class DecryptedEvent(NamedTuple):
    """
    An event with its personal fields decrypted.

    *boxed* are the fields that were encrypted, none if the subject was forgotten. It is
    None for an event without encrypted fields.
    """

    event: RecordedEvent
    metadata: Metadata
    message: dict[str, Any]
    boxed: frozenset[str] | None


def read_streams(
    connection: psycopg.Connection[Any], stream_ids: Sequence[str]
) -> list[RecordedEvent]:
    """Return the events of streams in the order of the log, read in one snapshot."""
    # NUL and surrogates are errors in a query: no stream's name has them.
    names = [name for name in stream_ids if is_storable(name)]
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM public.events WHERE stream_id = ANY (%s) ORDER BY id",
        (names,),
    )
    return [RecordedEvent(*row) for row in rows]


def decrypt_events(closed: RecordedEvent, event: RecordedEvent) -> DecryptedEvent:
    before, message = msgspec.json.decode(closed.data), msgspec.json.decode(event.data)
    had_box = PERSONAL in before or FORGOTTEN in before
    try:
        metadata = msgspec.json.decode(event.metadata, type=Metadata)
    except msgspec.ValidationError as error:
        raise BadMetadata(event, error) from error
    return DecryptedEvent(
        event=event,
        metadata=metadata,
        message=message,
        boxed=frozenset(message) - {*before, FORGOTTEN} if had_box else None,
    )


def subject_of(decider: Decider, event: RecordedEvent) -> str:
    """Return the subject of an event; of an unreadable one, its stream."""
    try:
        facts = decider.events.read(event)
    except EventStoreError:
        return event.stream_id
    return decider.subject_of(event.stream_id, facts)

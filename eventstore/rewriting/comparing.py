"""Compares the copy with the log, event by event."""

from collections.abc import Iterator
from typing import Any

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.encryption.envelope import FORGOTTEN, redact_fields
from eventstore.encryption.personal_fields import personal_fields
from eventstore.errors import RewriteRefused
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring
from eventstore.rewriting.copying import NEXT, read_log
from eventstore.verifying.finding import Advance


def compare(
    connection: psycopg.Connection[Any], deciders: Deciders, advance: Advance
) -> None:
    """
    Compare the copied events with those of the log, one by one, both decoded.

    Other columns than data must be what they were, but for the version of the shape
    and, of what was split off, the id. Raises RewriteRefused at the first difference.
    """
    copied = one_by_one(connection, deciders, NEXT)
    for old, opened in one_by_one(connection, deciders, "public"):
        codec = codec_of(deciders, old)
        if codec is None:
            same(old, next(copied, (None, None))[0])
        else:
            for index, fact in enumerate(codec.read(opened)):
                new, new_opened = next(copied, (None, None))
                if new is None or new_opened is None:
                    raise refusal_of(old, "is missing in the copy")
                if list(codec.read(new_opened)) != [expected_fact(codec, fact, new)]:
                    raise refusal_of(old, "reads otherwise in the copy")
                if rest_of(new, index) != rest_of(old, index):
                    raise refusal_of(old, "stands otherwise in the copy")
        advance(1)
    if next(copied, None) is not None:
        raise RewriteRefused("the copy has events that the log has not")


def one_by_one(
    connection: psycopg.Connection[Any], deciders: Deciders, schema: str
) -> Iterator[tuple[RecordedEvent, RecordedEvent]]:
    """Yield the events of a log, stored and decrypted."""
    for batch in read_log(connection, schema):
        opened = Keyring(connection, deciders.masters).decrypt_events(batch)
        yield from zip(batch, opened, strict=True)


def expected_fact(codec: EventCodec, fact: Any, new: RecordedEvent) -> Any:
    """Return what *new* must read as: the *fact*, or that of who was forgotten."""
    if FORGOTTEN not in new.data:
        return fact
    kind: type = type(fact)
    left = redact_fields(codec.encode(fact), personal_fields(kind))
    return codec.decode(new.type, left)


def rest_of(event: RecordedEvent, index: int) -> tuple[Any, ...]:
    """Return what a copied event has as it was, the *index*-th that one became."""
    metadata = msgspec.json.decode(event.metadata)
    metadata.pop("schema", None)
    if index:
        metadata.pop("event_id", None)
    return event.stream_id, event.occurred_at, metadata


def codec_of(deciders: Deciders, event: RecordedEvent) -> EventCodec | None:
    """Return the codec of an event, or None for a category without a decider."""
    decider = deciders.by_category.get(category_of(event.stream_id))
    return None if decider is None else decider.events


def same(old: RecordedEvent, new: RecordedEvent | None) -> None:
    if new is None or new._replace(position=0, version=0) != old._replace(
        position=0, version=0
    ):
        raise refusal_of(old, "is another one in the copy")


def refusal_of(event: RecordedEvent, what: str) -> RewriteRefused:
    return RewriteRefused(
        f"{event.stream_id} version {event.version} at position {event.position} {what}"
    )

"""Mask events of a stream, also those of older schema versions."""

from typing import Any

import msgspec

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.errors import EventStoreError
from eventstore.log.codec import EventCodec, schema_of
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.log.upcasting import major_of
from eventstore.personal.masking import Mask, mask_message
from tasks.shop.stream_transfer.errors import NotMaskable
from tasks.shop.stream_transfer.reading import DecryptedEvent, subject_of

NOT_PEOPLE = frozenset({"local"})
"""Actors that are no person: what the web writes without a login."""


def mask_event(
    opened: DecryptedEvent, deciders: Deciders, key: bytes
) -> DecryptedEvent:
    """Return an event with its personal fields masked. Raises NotMaskable."""
    event = opened.event
    decider = deciders.by_category.get(category_of(event.stream_id))
    if decider is None:
        raise NotMaskable(event, "Nothing decides on such streams.")
    mask = Mask(key, subject_of(decider, event))
    message, metadata, codec = opened.message, opened.metadata, decider.events
    if codec.is_of_today(event.type, metadata.schema):
        kind = codec.class_of(event.type)
        message = mask_message(message, kind, mask, opened.boxed or ())
    elif opened.boxed is not None:
        # Fields in the clear were not personal when the event was appended.
        message = {
            name: mask.of(value, Any, name) if name in opened.boxed else value
            for name, value in message.items()
        }
    else:
        event, metadata, message = upcast_event(opened, codec)
        message = mask_message(message, codec.class_of(event.type), mask)
    actor = metadata.actor
    if actor is not None and actor not in NOT_PEOPLE:
        actor = Mask(key, "").of(actor, str, "actor")
    made = DecryptedEvent(
        event=event,
        metadata=msgspec.structs.replace(metadata, actor=actor),
        message=message,
        boxed=opened.boxed,
    )
    refuse_unreadable(made, opened.event, codec)
    return made


def upcast_event(
    opened: DecryptedEvent, codec: EventCodec
) -> tuple[RecordedEvent, Metadata, dict[str, Any]]:
    """
    Return an old unencrypted event, upcast.

    Only its old class, which no longer exists, named the personal fields.
    """
    event, metadata = opened.event, opened.metadata
    try:
        shaped = codec.lift(event.type, major_of(metadata.schema), event.data)
        if len(shaped) != 1:
            raise NotMaskable(event, f"It is old, and {len(shaped)} events today.")
        (today,) = shaped
        schema = schema_of(codec.class_of(today.type))
    except (EventStoreError, ValueError) as error:
        raise NotMaskable(event, error) from error
    metadata = msgspec.structs.replace(metadata, schema=schema)
    return event._replace(type=today.type), metadata, today.data


def refuse_unreadable(
    made: DecryptedEvent, before: RecordedEvent, codec: EventCodec
) -> None:
    """Raise NotMaskable for an event that was readable, and is not when masked."""
    try:
        codec.read(before)
    except EventStoreError:
        return
    metadata = msgspec.json.encode(made.metadata).decode()
    data = msgspec.json.encode(made.message).decode()
    try:
        codec.read(made.event._replace(data=data, metadata=metadata))
    except EventStoreError as error:
        raise NotMaskable(before, f"Its masks do not fit: {error}") from error

"""
Events of the log as JSON for other services.

They are upcast to the present schema version, because other services cannot run our
upcasters. Marten does the same for its subscribers.

For readers without the permission, personal fields are masked, and nothing is
decrypted: masks are the same for all subjects, so a masked event never changes, not
even when its subject is forgotten. Readers with the permission then see that it was
forgotten.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid5

import msgspec

from eventstore.access.senders import needs_no_roles
from eventstore.aggregates.decider import Deciders, category_of
from eventstore.encryption.envelope import FORGOTTEN, decrypt_fields, keys_in
from eventstore.encryption.personal_fields import personal_fields, placeholders
from eventstore.errors import EventStoreError
from eventstore.log.codec import EventCodec, schema_of
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.personal.keyring import Keyring
from eventstore.type_shape import shape_of

MASKED = "(masked)"
"""The mask of a personal text; an optional one is null."""

Personal = Literal["shown", "masked", "forgotten"]

_metadata = msgspec.json.Decoder(Metadata)
_encode = msgspec.json.Encoder().encode


class PublishedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    An event as other services see it.

    *type*, *schema* and *data* are upcast. *personal* is the state of its personal
    fields, None if it has none. *actor* is None if there is none, or if the reader may
    not see personal fields. If the event cannot be upcast, *data* are null, *type* and
    *schema* are the recorded ones, and *unreadable* names the error.

    An event that is upcast to several has one of these for each, all at its position.
    The first has its *event_id*, the others have ids derived from it.
    """

    position: int
    event_id: UUID
    stream: str
    category: str
    version: int
    type: str
    schema: str
    occurred_at: datetime
    recorded_at: datetime | None
    actor: str | None
    correlation_id: UUID
    causation_id: UUID
    personal: Personal | None
    data: msgspec.Raw
    unreadable: str | None = None


def publish_events(
    events: Sequence[RecordedEvent], deciders: Deciders, keyring: Keyring | None
) -> Iterator[PublishedEvent]:
    """
    Yield recorded *events* as other services see them, in their order.

    Personal fields are decrypted with *keyring*; without one they are masked.
    """
    if keyring is not None and (ids := keys_in(event.data for event in events)):
        # One look-up for all. A missing key is an error of the event that needs it.
        with suppress(EventStoreError):
            keyring.learn(ids)
    for event in events:
        yield from publish_event(event, deciders, keyring)


def publish_event(
    event: RecordedEvent, deciders: Deciders, keyring: Keyring | None
) -> Iterator[PublishedEvent]:
    """Yield the events to which a recorded *event* is upcast: nearly always one."""
    metadata = _metadata.decode(event.metadata)
    find_key = _find_no_key if keyring is None else keyring.find
    decider = deciders.by_category.get(category_of(event.stream_id))
    try:
        if decider is None:
            raise UnknownCategory(event.stream_id)
        data = decrypt_fields(event.data, metadata.event_id, find_key)
        facts = decider.events.read(event._replace(data=data))
    except (EventStoreError, UnknownCategory) as error:
        yield _published(
            event,
            metadata,
            actor=_actor_of(metadata, keyring),
            type=event.type,
            schema=metadata.schema,
            personal=None,
            data=msgspec.Raw(b"null"),
            unreadable=type(error).__name__,
        )
        return
    for number, fact in enumerate(facts):
        personal = _personal_of(fact, data, keyring)
        yield _published(
            event,
            metadata,
            actor=_actor_of(metadata, keyring),
            event_id=_id_of_part(metadata.event_id, number),
            type=type(fact).__name__,
            schema=schema_of(fact),
            personal=personal,
            data=msgspec.Raw(_encode(masked(fact) if personal == "masked" else fact)),
        )


def _find_no_key(_: UUID) -> None:
    """Find no key: personal fields are not decrypted, as if it was destroyed."""


class UnknownCategory(Exception):
    """No decider has this category, so its events cannot be read."""


def _published(
    event: RecordedEvent, metadata: Metadata, **known: Any
) -> PublishedEvent:
    return PublishedEvent(
        **{
            "position": event.position,
            "event_id": metadata.event_id,
            "stream": event.stream_id,
            "category": category_of(event.stream_id),
            "version": event.version,
            "occurred_at": event.occurred_at,
            "recorded_at": metadata.recorded_at,
            "correlation_id": metadata.correlation_id,
            "causation_id": metadata.causation_id,
            **known,
        }
    )


def _id_of_part(event_id: UUID, number: int) -> UUID:
    return uuid5(event_id, str(number)) if number else event_id


def _actor_of(metadata: Metadata, keyring: Keyring | None) -> str | None:
    actor = metadata.actor
    is_shown = keyring is not None or actor is None or needs_no_roles(actor)
    return actor if is_shown else None


def _personal_of(fact: Any, data: str, keyring: Keyring | None) -> Personal | None:
    kind: type = type(fact)
    if not personal_fields(kind):
        return None
    if keyring is None:
        return "masked"
    is_forgotten = FORGOTTEN in data and FORGOTTEN in msgspec.json.decode(data)
    return "forgotten" if is_forgotten else "shown"


def masked(fact: Any) -> dict[str, Any]:
    """Return the fields of *fact* as plain data, personal ones masked."""
    kind: type = type(fact)
    plain: dict[str, Any] = msgspec.to_builtins(fact)
    return {**plain, **placeholders(kind, MASKED)}


def recorded_types(deciders: Deciders, types: Iterable[str]) -> frozenset[str]:
    """
    Return the recorded types whose events may be upcast to *types*.

    They may include events of other types: only the upcaster itself can tell.
    """
    wanted = frozenset(types)
    return wanted.union(*(decider.events.old_types for decider in deciders.all))


def shapes_of(deciders: Deciders) -> str:
    """
    Return a short hash of the shape in which events are published.

    It depends on the classes of the events and the code of the upcasters.
    """
    told = "\n".join(
        [
            shape_of(PublishedEvent),
            *(_shape_of_events(decider.events) for decider in deciders.all),
            deciders.fingerprints,
        ]
    )
    return hashlib.sha256(told.encode()).hexdigest()[:12]


def _shape_of_events(codec: EventCodec) -> str:
    return "\n".join(
        f"{schema_of(kind)} {shape_of(kind)} {sorted(personal_fields(kind))}"
        for kind in codec.classes
    )

"""What old events and commands become when the log is rewritten: those of today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from eventstore.aggregates.decider import Decider, Deciders, category_of
from eventstore.encryption.envelope import FORGOTTEN, redact_fields
from eventstore.encryption.personal_fields import personal_fields
from eventstore.ids import event_id_for
from eventstore.log.codec import FIRST_SCHEMA
from eventstore.log.events import RecordedEvent
from eventstore.log.upcasting import VersionedData, major_of
from eventstore.personal.keyring import Keyring
from eventstore.personal.unencrypted_fields import is_unencrypted_event

_to_json = msgspec.json.Encoder().encode


class Part(NamedTuple):
    """One of the events that an old one becomes: nearly always there is one."""

    type: str
    data: str
    metadata: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to an event: the *parts* that it becomes, and in words, why."""

    parts: Sequence[Part]
    what: str


@dataclass(frozen=True, slots=True)
class EventRewriter:
    """
    Brings events to the shapes that the deciders' classes have, and encrypts them.

    The old data are kept as they are but for what the upcasters say, also fields that
    no class knows. With a keyring that has no master keys nothing is encrypted.
    """

    deciders: Deciders
    keyring: Keyring
    names: dict[str, dict[str, type]] = field(init=False)

    def __post_init__(self) -> None:
        names = {
            decider.category: {c.__name__: c for c in decider.events.classes}
            for decider in self.deciders.all
        }
        object.__setattr__(self, "names", names)

    def changes(self, events: Sequence[RecordedEvent]) -> list[Change | None]:
        """Return the new form of each of *events*, or None if it does not change."""
        opened = self.keyring.decrypt_events(events)
        return [self.change(old, o) for old, o in zip(events, opened, strict=True)]

    def change(self, old: RecordedEvent, opened: RecordedEvent) -> Change | None:
        """Return what *old* becomes, which *opened* tells with its personal fields."""
        decider = self.deciders.by_category.get(category_of(old.stream_id))
        if decider is None:
            return None
        metadata = msgspec.json.decode(old.metadata)
        schema = metadata.get("schema", FIRST_SCHEMA)
        is_old = decider.events.is_old(old.type, schema)
        is_clear = self.is_clear(decider, old, schema)
        if not is_old and not is_clear:
            return None
        shaped = self.shaped(decider, opened, schema, is_old=is_old)
        parts = [
            self.part(
                decider,
                old.stream_id,
                each,
                metadata_of_part(metadata, index, each.major if is_old else None),
            )
            for index, each in enumerate(shaped)
        ]
        what = describe_change(old, schema, parts, is_old=is_old, is_clear=is_clear)
        return Change(parts, what)

    def is_clear(self, decider: Decider, event: RecordedEvent, schema: str) -> bool:
        """Return whether something in *event* is to be encrypted, and can be."""
        if self.keyring.masters is None or not decider.events.personal_types:
            return False
        return is_unencrypted_event(decider.events, event.type, schema, event.data)

    def shaped(
        self, decider: Decider, event: RecordedEvent, schema: str, *, is_old: bool
    ) -> list[VersionedData]:
        major = major_of(schema)
        if is_old:
            return decider.events.lift(event.type, major, event.data)
        return [VersionedData(event.type, major, msgspec.json.decode(event.data))]

    def part(
        self,
        decider: Decider,
        stream_id: str,
        shaped: VersionedData,
        metadata: Mapping[str, Any],
    ) -> Part:
        data = self.closed(decider, stream_id, shaped, metadata["event_id"])
        return Part(shaped.type, data, _to_json(metadata).decode())

    def closed(
        self, decider: Decider, stream_id: str, shaped: VersionedData, about: UUID
    ) -> str:
        data = _to_json(shaped.data).decode()
        kind = self.names[decider.category][shaped.type]
        if not personal_fields(kind):
            return data
        if FORGOTTEN in shaped.data:
            # A field that was marked only later is still there.
            return redact_fields(data, personal_fields(kind))
        fact = decider.events.decode(shaped.type, data)
        return self.keyring.encrypt(data, kind, decider.subject(stream_id, fact), about)


def metadata_of_part(
    metadata: Mapping[str, Any], index: int, major: int | None
) -> Mapping[str, Any]:
    """
    Return the metadata of the part at *index* of an event that had *metadata*.

    *major* is that of its new shape, None if it keeps the old one.
    """
    event_id = UUID(metadata["event_id"])
    # The first keeps the id that others name as their cause.
    own_id = event_id_for(event_id, index) if index else event_id
    schema = {} if major is None else {"schema": f"{major}.0"}
    return {**metadata, "event_id": own_id, **schema}


def describe_change(
    old: RecordedEvent,
    schema: str,
    parts: Sequence[Part],
    *,
    is_old: bool,
    is_clear: bool,
) -> str:
    """Return in words what becomes of events like *old*."""
    made = " and ".join(
        f"{part.type} {msgspec.json.decode(part.metadata)['schema']}" for part in parts
    )
    words = [f"{old.type} {schema}"]
    if is_old:
        words.append(f"becomes {made or 'nothing'}")
    if is_clear:
        words.append("is encrypted")
    return " and ".join([" ".join(words[:2]), *words[2:]])

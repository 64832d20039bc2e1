"""Encode events to JSON and decode them, also old schema versions."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from eventstore.encryption.envelope import FORGOTTEN, PERSONAL
from eventstore.encryption.personal_fields import (
    UndeclaredValue,
    personal_fields,
    placeholders,
)
from eventstore.errors.unreadable import (
    NewerSchema,
    UnknownEventType,
    UnreadableEvent,
)
from eventstore.log.events import RecordedEvent
from eventstore.log.limits import check_numbers
from eventstore.log.upcasting import (
    NO_UPCASTERS,
    Upcaster,
    Upcasters,
    VersionedData,
    check,
    major_of,
    upcast,
)

_encoder = msgspec.json.Encoder()

FIRST_SCHEMA = "1.0"

DecodedEvents = dict[tuple[int, type, frozenset[str]], Sequence[Any]]
"""
Decoded events, by position, by the class that they are decoded to, and by the personal
fields that are not read.
"""


def unread_fields(
    kind: type, personal: Mapping[type, Collection[str]] | None
) -> frozenset[str]:
    """Return the personal fields of *kind* that are not read."""
    if personal is None:
        return frozenset()
    read = {n for c, names in personal.items() if issubclass(kind, c) for n in names}
    if unknown := read - personal_fields(kind):
        raise ValueError(f"{kind.__name__} has no personal field {min(unknown)}")
    return personal_fields(kind) - read


def schema_of(event: object) -> str:
    """Return the schema version, `major.minor`, of an event or its class."""
    return str(getattr(event, "schema_version", FIRST_SCHEMA))


class _Metadata(msgspec.Struct):
    schema: str = FIRST_SCHEMA


_metadata = msgspec.json.Decoder(_Metadata)


def recorded_schema(event: RecordedEvent) -> str:
    """Return the schema version, `major.minor`, of a recorded event."""
    return _metadata.decode(event.metadata).schema


class EventCodec:
    """
    The event classes of a category, by name.

    Weak schema: a field that a class does not know is ignored, one that is missing
    takes its default. A class has its shape's version, `major.minor`, in a class
    variable `schema_version`, "1.0" if it has none: a new optional field is a minor,
    anything else a major. *upcasters* lift what was written by an earlier major
    version: functions by the type and the major version that they lift.

    If the classes are only a part (*is_part*) of the category's, events of the types
    that have upcasters are skipped if they are, or are upcast to, other classes.

    *personal* has the names of the personal fields that are read, by class or base
    class; None: all. The others hold a value that raises UndeclaredField when it is
    used, and an event of which none is read need not be decrypted.

    Raises BadUpcasters where an upcaster is missing or is not needed.
    """

    def __init__(
        self,
        classes: Iterable[type],
        upcasters: Upcasters = NO_UPCASTERS,
        *,
        is_part: bool = False,
        personal: Mapping[type, Collection[str]] | None = None,
    ) -> None:
        self._classes = {c.__name__: c for c in classes}
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {
            name: msgspec.json.Decoder(c) for name, c in self._classes.items()
        }
        for kind in self._classes.values():
            # Raise at the start, not when a subject must be forgotten.
            placeholders(kind)
        self._unread = {
            name: unread_fields(c, personal) for name, c in self._classes.items()
        }
        self._upcasters = upcasters
        self._is_part = is_part
        # Types with an upcaster for others, who know the class of today.
        self._passed_over = (
            self.old_types - self._classes.keys() if is_part else frozenset()
        )
        self._newest = {
            name: major_of(schema_of(c)) for name, c in self._classes.items()
        }
        check(self._newest, upcasters)
        # The text of the present schema in metadata, as PostgreSQL writes it: searching
        # for it takes a twentieth of the time of parsing.
        self._marks = {
            name: f'"schema": "{major}.' for name, major in self._newest.items()
        }

    @property
    def types(self) -> list[str]:
        """The types of the events that it reads, old ones included."""
        return [
            *dict.fromkeys([*self._classes, *(name for name, _ in self._upcasters)])
        ]

    @property
    def old_types(self) -> frozenset[str]:
        """The types that have an upcaster."""
        return frozenset(name for name, _ in self._upcasters)

    @property
    def classes(self) -> Sequence[type]:
        """The present classes of the events."""
        return list(self._classes.values())

    @property
    def lifting(self) -> Sequence[Upcaster]:
        """The upcasters of the codec."""
        return list(self._upcasters.values())

    @property
    def personal_types(self) -> list[str]:
        """The types whose events have personal fields."""
        return [name for name, c in self._classes.items() if personal_fields(c)]

    def class_of(self, event_type: str) -> type:
        """Return the class that has events of a type. Raises UnknownEventType."""
        if event_type not in self._classes:
            raise UnknownEventType(event_type)
        return self._classes[event_type]

    def is_of_today(self, event_type: str, schema: str) -> bool:
        """Return True if events of this type and schema need no upcaster."""
        try:
            return self._newest.get(event_type) == major_of(schema)
        except ValueError:
            return False

    def encode(self, event: object) -> str:
        """Return the JSON text of *event*. Raises NotANumber for NaN and infinity."""
        check_numbers(event)
        return _encoder.encode(event).decode()

    def read(
        self, event: RecordedEvent, decoded: DecodedEvents | None = None
    ) -> Sequence[Any]:
        """
        Return a recorded event, upcast: one object, or several if it was split.

        *decoded* is a cache shared by codecs that read the same events: an event of the
        present schema is decoded once for all of them that have the same class.

        Raises UnknownEventType, NewerSchema, UpcasterFailed or UnreadableEvent.
        """
        mark = self._marks.get(event.type)
        if mark is not None and mark in event.metadata:
            if decoded is None:
                return (self.decode(event.type, event.data),)
            kind = self._classes[event.type]
            place = (event.position, kind, self._unread[event.type])
            if place not in decoded:
                decoded[place] = (self.decode(event.type, event.data),)
            return decoded[place]
        schema = recorded_schema(event)
        try:
            major = major_of(schema)
        except ValueError as error:
            reason = f"its schema {schema!r} is no version"
            raise UnreadableEvent(event.type, reason) from error
        if self._newest.get(event.type) == major:
            return (self.decode(event.type, event.data),)
        return [
            self.decode(shaped.type, _encoder.encode(shaped.data).decode())
            for shaped in self.lift(event.type, major, event.data)
        ]

    def opens(self, event: RecordedEvent) -> bool:
        """Return whether *event* must be decrypted before it is read."""
        unread = self._unread.get(event.type)
        if not unread or unread != personal_fields(self._classes[event.type]):
            return True
        # An upcaster may read any field.
        mark = self._marks[event.type]
        return mark not in event.metadata

    def is_old(self, event_type: str, schema: str) -> bool:
        """Return True if an upcaster lifts events of this type and schema."""
        return (event_type, major_of(schema)) in self._upcasters

    def lift(self, event_type: str, major: int, data: str) -> list[VersionedData]:
        """
        Return what the JSON *data* of an event are now, by type and major version.

        Raises UnknownEventType, NewerSchema or UpcasterFailed.
        """
        if (event_type, major) not in self._upcasters:
            if event_type not in self._newest:
                if event_type in self._passed_over:
                    return []
                raise UnknownEventType(event_type)
            raise NewerSchema(event_type, major, self._newest[event_type])
        old = VersionedData(event_type, major, msgspec.json.decode(data))
        today = upcast(old, self._newest, self._upcasters)
        if self._is_part:
            return [shaped for shaped in today if shaped.type in self._newest]
        return today

    def decode(self, event_type: str, data: str) -> Any:
        """
        Return the object of an event whose *data* need no upcaster.

        Raises UnknownEventType or UnreadableEvent.
        """
        decoder = self._decoders.get(event_type)
        if decoder is None:
            raise UnknownEventType(event_type)
        try:
            # Only fields that we add begin with the sign, and few events have them.
            if '"$' in data:
                data = self._filled(event_type, data)
            event = decoder.decode(data)
        except msgspec.DecodeError as error:
            raise UnreadableEvent(event_type, str(error)) from error
        for name in self._unread[event_type]:
            # One for each: of two that are the same one, Python asks none for equality.
            object.__setattr__(event, name, UndeclaredValue())
        return event

    def _filled(self, event_type: str, data: str) -> str:
        """Return *data* with placeholders for forgotten and undeclared fields."""
        message = msgspec.json.decode(data)
        kind = self._classes[event_type]
        if PERSONAL in message and personal_fields(kind) != self._unread[event_type]:
            raise UnreadableEvent(event_type, "no master key was given to open it")
        if FORGOTTEN not in message and PERSONAL not in message:
            return data
        return self.encode({**placeholders(kind), **message})

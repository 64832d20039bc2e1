"""From event objects to JSON and back."""

from collections.abc import Iterable
from typing import Any

import msgspec

from eventstore.errors import UnknownEventType, UnreadableEvent
from eventstore.log.limits import check_numbers
from eventstore.personal.box import FORGOTTEN, PERSONAL
from eventstore.personal.marks import personal_fields, stand_ins

_encoder = msgspec.json.Encoder()


class EventCodec:
    """
    The event classes of a category, by name.

    Weak schema: a field that a class does not know is ignored, one that is missing
    takes its default. A class may tell its shape's version as `schema_version`.
    """

    def __init__(self, classes: Iterable[type]) -> None:
        self._classes = {c.__name__: c for c in classes}
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {
            name: msgspec.json.Decoder(c) for name, c in self._classes.items()
        }
        for kind in self._classes.values():
            # Refused here, and not when somebody is to be forgotten.
            stand_ins(kind)

    @property
    def personal_types(self) -> list[str]:
        """The types whose events have personal fields."""
        return [name for name, c in self._classes.items() if personal_fields(c)]

    def schema_of(self, event: object) -> str:
        """Return the version, `major.minor`, of the shape that *event* has."""
        return str(getattr(event, "schema_version", "1.0"))

    def encode(self, event: object) -> str:
        """Return the JSON of *event*. Raises NotANumber where it has what is none."""
        check_numbers(event)
        return _encoder.encode(event).decode()

    def decode(self, event_type: str, data: str) -> Any:
        """Return the event. Raises UnknownEventType or UnreadableEvent."""
        decoder = self._decoders.get(event_type)
        if decoder is None:
            raise UnknownEventType(event_type)
        try:
            # Only what we add ourselves begins with the sign, and few events have it.
            if '"$' in data:
                data = self._filled(event_type, data)
            return decoder.decode(data)
        except msgspec.DecodeError as error:
            raise UnreadableEvent(event_type, str(error)) from error

    def _filled(self, event_type: str, data: str) -> str:
        """Return *data* with stand-ins for what was forgotten."""
        message = msgspec.json.decode(data)
        if PERSONAL in message:
            raise UnreadableEvent(event_type, "no master key was given to open it")
        if FORGOTTEN not in message:
            return data
        return self.encode({**stand_ins(self._classes[event_type]), **message})

"""From event objects to JSON and back."""

from collections.abc import Iterable
from typing import Any

import msgspec

from eventstore.errors import UnknownEventType, UnreadableEvent

_encoder = msgspec.json.Encoder()


class EventCodec:
    """
    The event classes of a category, by name.

    Weak schema: a field that a class does not know is ignored, one that is missing
    takes its default. A class may tell its shape's version as `schema_version`.
    """

    def __init__(self, classes: Iterable[type]) -> None:
        self._decoders: dict[str, msgspec.json.Decoder[Any]] = {
            c.__name__: msgspec.json.Decoder(c) for c in classes
        }

    def schema_of(self, event: object) -> str:
        """Return the version, `major.minor`, of the shape that *event* has."""
        return str(getattr(event, "schema_version", "1.0"))

    def encode(self, event: object) -> str:
        """Return the JSON of *event*."""
        return _encoder.encode(event).decode()

    def decode(self, event_type: str, data: str) -> Any:
        """Return the event. Raises UnknownEventType or UnreadableEvent."""
        decoder = self._decoders.get(event_type)
        if decoder is None:
            raise UnknownEventType(event_type)
        try:
            return decoder.decode(data)
        except msgspec.DecodeError as error:
            raise UnreadableEvent(event_type, str(error)) from error

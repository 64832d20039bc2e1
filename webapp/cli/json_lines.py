"""How events are told to programs: each whole, and on a line."""

from typing import Any

import msgspec

from eventstore.log.events import RecordedEvent
from tasks.printable import printable


def json_of(value: Any) -> str:
    return printable(msgspec.json.encode(value).decode())


def event_as_json(event: RecordedEvent) -> dict[str, Any]:
    """Return all that is known of an event; its data as they were read or opened."""
    return {
        "position": event.position,
        "stream_id": event.stream_id,
        "version": event.version,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "data": msgspec.Raw(event.data.encode()),
        "metadata": msgspec.Raw(event.metadata.encode()),
    }


def error_as_json(error: Exception | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"type": type(error).__name__, "message": str(error)}

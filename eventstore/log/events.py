"""New events, recorded events, and their metadata."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    The actor, times and causes of an event; never a fact of the business.

    *correlation_id* is the same for everything caused by one request, *causation_id* is
    the id of the command or the event that caused this one. *command_id* is None if it
    was no command of the journal. The append sets *recorded_at*. *source* is a text
    that names the origin of an imported event, None for any other.
    """

    event_id: UUID
    correlation_id: UUID
    # The id of the command or the event that caused it; never a position, which
    # changes when a log is copied.
    causation_id: UUID
    command_id: UUID | None = None
    schema: str
    actor: str | None = None
    # Set by the append. An import knows when an event occurred, but not when it was
    # recorded.
    recorded_at: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """
    An event to append.

    *data* and *metadata* are its fields and its metadata. Without *occurred_at*, a time
    with a zone, it occurs when it is appended.
    """

    type: str
    data: str
    metadata: Metadata
    occurred_at: datetime | None = None


class RecordedEvent(NamedTuple):
    """
    An event with its places in the log and in its stream.

    *data* and *metadata* are JSON as text; `EventCodec.read` makes an object of the
    first. *occurred_at* has a zone.
    """

    position: int
    stream_id: str
    type: str
    version: int
    data: str
    metadata: str
    occurred_at: datetime


class AppendedEvent(NamedTuple):
    """The places of an appended event: its position, and its version in its stream."""

    position: int
    stream_id: str
    version: int

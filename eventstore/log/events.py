"""An event on its way into the log, and one that is in it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct


class Metadata(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Who, when, and because of what; never a fact of the business.

    *correlation_id* is that of all that follows from one request, *causation_id* that
    of the command or the event that caused this one. *command_id* is None where no
    command of the journal did. The append sets *recorded_at*. *source* is a text that
    names where an imported event came from, None for one that happened here.
    """

    event_id: UUID
    correlation_id: UUID
    # The id of the command or the event that caused it; never a position, which
    # changes when a log is copied.
    causation_id: UUID
    command_id: UUID | None = None
    schema: str
    actor: str | None = None
    # Set by the append. An import knows better when a thing happened, never when it
    # was written down.
    recorded_at: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """
    An event on its way into the log.

    *data* and *metadata* are its fields and what is known about it. Without
    *occurred_at*, a time with a zone, it happens when it is appended.
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
    """Where the log keeps a new event: its position, and its version in its stream."""

    position: int
    stream_id: str
    version: int

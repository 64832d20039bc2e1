"""Every event as today's code reads it: its metadata, its type, its shape, its data."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.errors import EventStoreError
from eventstore.errors.text import error_text
from eventstore.errors.unreadable import (
    KeyLost,
    NewerSchema,
    TamperedEnvelope,
    UnknownEventType,
)
from eventstore.log.events import RecordedEvent
from eventstore.personal.keyring import Keyring
from eventstore.verifying.finding import Advance, Check, Finding, read_page
from eventstore.verifying.journal import last_position

NAME = "contents"
PAGE = 5_000
RECORDED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
"""The format in which the SQL function `append` writes it."""

# Not when it occurred: who put an event in may have taken a time that is none to us.
_PAGE = """
    SELECT e.id, e.stream_id, e.type, e.version, e.data::text, e.metadata::text
    FROM public.events AS e
    WHERE e.id > %(after)s AND e.id <= %(last)s
    ORDER BY e.id
    LIMIT %(page)s
"""
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class _Written(msgspec.Struct):
    """What every append writes; it may have more."""

    event_id: UUID
    correlation_id: UUID
    causation_id: UUID
    schema: str
    recorded_at: str
    command_id: UUID | None = None
    actor: str | None = None
    source: str | None = None


_written = msgspec.json.Decoder(_Written)


def contents_check(deciders: Deciders) -> Check:
    """Return the check that *deciders* can read all that is in the log."""

    def find(
        connection: psycopg.Connection[Any], advance: Advance
    ) -> Iterator[Finding]:
        return find_unreadable(connection, advance, deciders)

    return Check(name=NAME, length=last_position, find=find)


def find_unreadable(
    connection: psycopg.Connection[Any], advance: Advance, deciders: Deciders
) -> Iterator[Finding]:
    """Yield the events that no code of ours has written, or that ours cannot read."""
    after, last = 0, last_position(connection)
    while after < last:
        values = {"after": after, "last": last, "page": PAGE}
        events = [
            RecordedEvent._make((*row, _SOME_TIME))
            for row in read_page(connection, _PAGE, values)
        ]
        if not events:
            return
        keyring = Keyring(connection, deciders.masters)
        # Whichever of them cannot be opened will say so; all have their keys by now.
        with suppress(EventStoreError, msgspec.MsgspecError):
            keyring.decrypt_events(events)
        for event in events:
            wrong = fault_of_metadata(event) or fault_of_data(event, deciders, keyring)
            if wrong is not None:
                what, detail = wrong
                yield Finding(
                    check=NAME,
                    what=what,
                    detail=detail,
                    position=event.position,
                    stream_id=event.stream_id,
                    version=event.version,
                )
        advance(events[-1].position - after)
        after = events[-1].position


def fault_of_metadata(event: RecordedEvent) -> tuple[str, str] | None:
    """Return the error in an event's metadata, or None."""
    try:
        written = _written.decode(event.metadata)
    except msgspec.MsgspecError as error:
        return "its metadata are not those of an append", str(error)
    if not RECORDED_AT.fullmatch(written.recorded_at):
        return "it was not recorded by an append", f"recorded_at {written.recorded_at}"
    return None


def fault_of_data(
    event: RecordedEvent, deciders: Deciders, keyring: Keyring
) -> tuple[str, str] | None:
    """
    Return why today's code cannot read an event; None where it can.

    Where the master key is missing or another one, that error rises: nothing can be
    said of any event then.
    """
    decider = deciders.by_category.get(category_of(event.stream_id))
    if decider is None:
        return "nothing decides on its stream", ""
    try:
        decider.events.read(keyring.decrypt_event(event))
    except UnknownEventType as error:
        return "its type is unknown", error_text(error)
    except NewerSchema as error:
        return "the version of its shape is unknown", error_text(error)
    except (KeyLost, TamperedEnvelope) as error:
        return "its personal fields cannot be opened", error_text(error)
    except (EventStoreError, msgspec.MsgspecError) as error:
        return "its data do not fit its type", error_text(error)
    return None

"""Incoming events: what the lines of a file become in this log."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import msgspec

from eventstore.aggregates.decider import Decider, Deciders, category_of
from eventstore.encryption.envelope import FORGOTTEN, PERSONAL
from eventstore.encryption.personal_fields import personal_fields
from eventstore.errors import EventStoreError
from eventstore.errors.unstorable import BadStreamId
from eventstore.log.events import Metadata, NewEvent
from eventstore.log.limits import check_stream_id
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.stream_transfer.file import Line, parse_event

ARRIVED = UUID("5d1c5b8a-7a1e-5c0b-8d55-2f1c7a9e4b60")
SOURCE = "an export"
"""The source in the metadata of imported events."""


class IncomingEvent(NamedTuple):
    """
    An event to append, and the events to which it is upcast.

    *personal* are the fields to encrypt with the key of *subject*.
    """

    line: Line
    event_id: UUID
    facts: Sequence[Any]
    data: str
    personal: frozenset[str]
    subject: str


class Unreadable(Exception):
    """A line's event cannot be read by this code."""


def arriving(lines: Sequence[Line], deciders: Deciders) -> list[IncomingEvent]:
    """Return the events of *lines*. Raises ImportRefused, which names each bad line."""
    found, bad = [], []
    for place, line in enumerate(lines, start=2):
        try:
            found.append(arriving_event(line, deciders))
        except Unreadable as error:
            bad.append(f"line {place}: {error}")
    if bad:
        some = "an event is" if len(bad) == 1 else f"{len(bad):,} events are"
        raise ImportRefused(f"{some} unknown to this code", tuple(bad))
    return found


def arriving_event(line: Line, deciders: Deciders) -> IncomingEvent:
    try:
        check_stream_id(line.stream_id)
    except BadStreamId as error:
        raise Unreadable(str(error)) from error
    decider = deciders.by_category.get(category_of(line.stream_id))
    if decider is None:
        raise Unreadable(f"nothing decides on {line.stream_id}")
    data = bytes(line.data).decode()
    message = msgspec.json.decode(data)
    if not isinstance(message, dict) or PERSONAL in message:
        raise Unreadable("its data are no object, or encrypted")
    facts = facts_of(line, decider)
    marked = frozenset(line.personal).union(
        *(personal_of_today(line, fact, decider) for fact in facts)
    )
    return IncomingEvent(
        line=line,
        event_id=new_id(line.metadata.event_id),
        facts=facts,
        data=data,
        # What was forgotten in the old log stays forgotten.
        personal=frozenset() if FORGOTTEN in message else marked,
        subject=decider.subject_of(line.stream_id, facts),
    )


def facts_of(line: Line, decider: Decider) -> Sequence[Any]:
    try:
        return decider.events.read(parse_event(line))
    except EventStoreError as error:
        raise Unreadable(str(error)) from error


def personal_of_today(line: Line, fact: Any, decider: Decider) -> frozenset[str]:
    """Return the personal fields of an event's class, if the data fit the class."""
    kind: type = type(fact)
    is_of_today = decider.events.is_of_today(line.type, line.metadata.schema)
    return personal_fields(kind) if is_of_today else frozenset()


def new_id(event_id: UUID) -> UUID:
    """Return an event's id in this log: the same each time."""
    return uuid5(ARRIVED, str(event_id))


def new_events(
    some: Sequence[IncomingEvent], ids: Mapping[UUID, UUID], keyring: Keyring
) -> list[tuple[str, NewEvent]]:
    """
    Return events as they are appended, their personal fields encrypted.

    *ids* maps old to new ids of all events of the file, to translate causation ids.
    """
    keyring.learn_subjects(one.subject for one in some if one.personal)
    return [
        (
            one.line.stream_id,
            NewEvent(
                type=one.line.type,
                data=keyring.close_fields(
                    one.data, one.personal, one.subject, one.event_id
                ),
                metadata=metadata_of(one, ids),
                occurred_at=one.line.occurred_at,
            ),
        )
        for one in some
    ]


def metadata_of(one: IncomingEvent, ids: Mapping[UUID, UUID]) -> Metadata:
    told = one.line.metadata
    return msgspec.structs.replace(
        told,
        event_id=one.event_id,
        correlation_id=ids.get(told.correlation_id, told.correlation_id),
        causation_id=ids.get(told.causation_id, told.causation_id),
        # The append sets the time of recording.
        recorded_at=None,
        source=f"{SOURCE} of {told.source}" if told.source else SOURCE,
    )

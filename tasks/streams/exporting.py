"""
Exporting: streams to lines of a file, their personal fields masked.

ExportRefused
├── NoSuchStreams  some streams have no event
└── NotMaskable    of an event nobody can say what in it is personal
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from eventstore.decider import Decider, Deciders, category_of
from eventstore.errors import EventStoreError
from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.log.limits import is_storable
from eventstore.log.read import COLUMNS
from eventstore.log.upcasting import major_of
from eventstore.personal.box import FORGOTTEN, PERSONAL
from eventstore.personal.keyring import Keyring
from eventstore.personal.masking import masked
from eventstore.personal.masks import Mask, mask_key
from tasks.streams.file import Line, recorded

NOT_PEOPLE = frozenset({"local"})
"""Actors that are nobody: what the web writes while there is no login."""


class ExportRefused(Exception):
    """The root."""


class NoSuchStreams(ExportRefused):
    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"There is no stream {', '.join(missing)}.")


class NotMaskable(ExportRefused):
    def __init__(self, event: RecordedEvent, reason: object) -> None:
        super().__init__(
            f"{event.stream_id} cannot be masked: of its event {event.version}, a"
            f" {event.type}, nobody can say what is personal. {reason}"
        )


class Opened(NamedTuple):
    """
    An event with its personal fields.

    *boxed* are those that were in its box, which may be none: it was forgotten. None is
    an event that has no box, since it has nothing personal or is of before.
    """

    event: RecordedEvent
    metadata: Metadata
    message: dict[str, Any]
    boxed: frozenset[str] | None


def export(
    connection: psycopg.Connection[Any],
    stream_ids: Sequence[str],
    deciders: Deciders,
    *,
    secret: bytes | None,
) -> list[Line]:
    """
    Return the events of some streams, in the order of the log; masked by a *secret*.

    Without one they are as they are read, in the clear. Raises NoSuchStreams or
    NotMaskable, and EventStoreError where personal fields cannot be opened.
    """
    events = read_streams(connection, stream_ids)
    there = {event.stream_id for event in events}
    missing = [name for name in dict.fromkeys(stream_ids) if name not in there]
    if missing:
        raise NoSuchStreams(missing)
    keyring = Keyring(connection, deciders.masters)
    pairs = zip(events, keyring.open_events(events), strict=True)
    found = [opened(closed, event) for closed, event in pairs]
    if secret is None:
        return [line_of(each) for each in found]
    key = mask_key(secret)
    return [line_of(masked_event(each, deciders, key)) for each in found]


def subjects_left_out(lines: Sequence[Line], deciders: Deciders) -> set[str]:
    """Return whom *lines* are about without having their streams."""
    subjects = set()
    for line in lines:
        decider = deciders.by_category.get(category_of(line.stream_id))
        if decider is not None:
            subjects.add(subject_of(decider, recorded(line)))
    return subjects.difference(line.stream_id for line in lines)


def read_streams(
    connection: psycopg.Connection[Any], stream_ids: Sequence[str]
) -> list[RecordedEvent]:
    """Return the events of streams in the order of the log, all as of one moment."""
    # To ask for a NUL, or half a character, is an error: nothing is called so.
    names = [name for name in stream_ids if is_storable(name)]
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM public.events WHERE stream_id = ANY (%s) ORDER BY id",
        (names,),
    )
    return [RecordedEvent(*row) for row in rows]


def opened(closed: RecordedEvent, event: RecordedEvent) -> Opened:
    before, message = msgspec.json.decode(closed.data), msgspec.json.decode(event.data)
    had_box = PERSONAL in before or FORGOTTEN in before
    return Opened(
        event=event,
        metadata=msgspec.json.decode(event.metadata, type=Metadata),
        message=message,
        boxed=frozenset(message) - {*before, FORGOTTEN} if had_box else None,
    )


def masked_event(opened: Opened, deciders: Deciders, key: bytes) -> Opened:
    """Return an event without what is personal in it. Raises NotMaskable."""
    event = opened.event
    decider = deciders.by_category.get(category_of(event.stream_id))
    if decider is None:
        raise NotMaskable(event, "Nothing decides on such streams.")
    mask = Mask(key, subject_of(decider, event))
    message, metadata, codec = opened.message, opened.metadata, decider.events
    if codec.is_of_today(event.type, metadata.schema):
        kind = codec.class_of(event.type)
        message = masked(message, kind, mask, opened.boxed or ())
    elif opened.boxed is not None:
        # What was outside of the box was not personal to those who wrote it.
        message = {
            name: mask.of(value, Any, name) if name in opened.boxed else value
            for name, value in message.items()
        }
    else:
        event, metadata, message = lifted(opened, codec)
        message = masked(message, codec.class_of(event.type), mask)
    actor = metadata.actor
    if actor is not None and actor not in NOT_PEOPLE:
        actor = Mask(key, "").of(actor, str, "actor")
    made = Opened(
        event=event,
        metadata=msgspec.structs.replace(metadata, actor=actor),
        message=message,
        boxed=opened.boxed,
    )
    refuse_unreadable(made, opened.event, codec)
    return made


def lifted(
    opened: Opened, codec: EventCodec
) -> tuple[RecordedEvent, Metadata, dict[str, Any]]:
    """
    Return an old event in the clear as what it is today.

    Which fields were personal, its class of then would have said.
    """
    event, metadata = opened.event, opened.metadata
    try:
        shaped = codec.lift(event.type, major_of(metadata.schema), event.data)
        if len(shaped) != 1:
            raise NotMaskable(event, f"It is old, and {len(shaped)} events today.")
        (today,) = shaped
        schema = codec.schema_of(codec.class_of(today.type))
    except (EventStoreError, ValueError) as error:
        raise NotMaskable(event, error) from error
    metadata = msgspec.structs.replace(metadata, schema=schema)
    return event._replace(type=today.type), metadata, today.data


def subject_of(decider: Decider, event: RecordedEvent) -> str:
    """Return whom an event is about; of one that nobody can read, its stream."""
    try:
        facts = decider.events.read(event)
    except EventStoreError:
        return event.stream_id
    return decider.subject_of(event.stream_id, facts)


def refuse_unreadable(made: Opened, before: RecordedEvent, codec: EventCodec) -> None:
    """Raise NotMaskable for an event that could be read, and cannot with its masks."""
    try:
        codec.read(before)
    except EventStoreError:
        return
    metadata = msgspec.json.encode(made.metadata).decode()
    data = msgspec.json.encode(made.message).decode()
    try:
        codec.read(made.event._replace(data=data, metadata=metadata))
    except EventStoreError as error:
        raise NotMaskable(before, f"Its masks do not fit: {error}") from error


def line_of(opened: Opened) -> Line:
    event = opened.event
    return Line(
        stream_id=event.stream_id,
        version=event.version,
        position=event.position,
        type=event.type,
        occurred_at=event.occurred_at,
        data=msgspec.Raw(msgspec.json.encode(opened.message)),
        metadata=opened.metadata,
        personal=sorted(opened.boxed or ()),
    )

"""Export streams to lines of a file, their personal fields masked."""

from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders, category_of
from eventstore.personal.keyring import Keyring
from eventstore.personal.masking import mask_key
from tasks.shop.stream_transfer.errors import NoSuchStreams
from tasks.shop.stream_transfer.file import Line, parse_event
from tasks.shop.stream_transfer.masking import mask_event
from tasks.shop.stream_transfer.reading import (
    DecryptedEvent,
    decrypt_events,
    read_streams,
    subject_of,
)


def export(
    connection: psycopg.Connection[Any],
    stream_ids: Sequence[str],
    deciders: Deciders,
    *,
    secret: bytes | None,
) -> list[Line]:
    """
    Return the events of some streams, in the order of the log, masked with *secret*.

    Without a secret, personal fields are in the clear. Raises NoSuchStreams or
    NotMaskable, and EventStoreError if personal fields cannot be decrypted.
    """
    events = read_streams(connection, stream_ids)
    there = {event.stream_id for event in events}
    missing = [name for name in dict.fromkeys(stream_ids) if name not in there]
    if missing:
        raise NoSuchStreams(missing)
    keyring = Keyring(connection, deciders.masters)
    pairs = zip(events, keyring.decrypt_events(events), strict=True)
    found = [decrypt_events(closed, event) for closed, event in pairs]
    if secret is None:
        return [line_of(each) for each in found]
    key = mask_key(secret)
    return [line_of(mask_event(each, deciders, key)) for each in found]


def line_of(decrypt_events: DecryptedEvent) -> Line:
    event = decrypt_events.event
    return Line(
        stream_id=event.stream_id,
        version=event.version,
        position=event.position,
        type=event.type,
        occurred_at=event.occurred_at,
        data=msgspec.Raw(msgspec.json.encode(decrypt_events.message)),
        metadata=decrypt_events.metadata,
        personal=sorted(decrypt_events.boxed or ()),
    )


def subjects_left_out(lines: Sequence[Line], deciders: Deciders) -> set[str]:
    """Return the subjects of *lines* whose streams are not among them."""
    subjects = set()
    for line in lines:
        decider = deciders.by_category.get(category_of(line.stream_id))
        if decider is not None:
            subjects.add(subject_of(decider, parse_event(line)))
    return subjects.difference(line.stream_id for line in lines)

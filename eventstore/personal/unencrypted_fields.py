"""Tells whether a message has personal fields that are not encrypted."""

from collections.abc import Mapping
from typing import Any

import msgspec

from eventstore.encryption.envelope import FORGOTTEN, PERSONAL
from eventstore.encryption.personal_fields import personal_fields
from eventstore.log.codec import EventCodec
from eventstore.log.upcasting import major_of


def has_unencrypted_fields(message: Mapping[str, Any], kind: type) -> bool:
    """
    Return whether a *message* of the class *kind* has an unencrypted personal field.

    It may have an envelope all the same, if a field was marked after it was written.
    """
    return any(name in message for name in personal_fields(kind))


def is_unencrypted_event(codec: EventCodec, type_: str, schema: str, data: str) -> bool:
    """
    Return whether something personal in an event can be read without a key.

    One from before is looked at as what it is today, where its fields may have other
    names; what is in a box no upcaster can lift.
    """
    kinds = {kind.__name__: kind for kind in codec.classes}
    if codec.is_old(type_, schema) and not has_envelope(data):
        lifted = codec.lift(type_, major_of(schema), data)
        parts = [(shaped.type, shaped.data) for shaped in lifted]
    elif type_ in kinds and personal_fields(kinds[type_]):
        parts = [(type_, msgspec.json.decode(data))]
    else:
        return False
    return any(
        name in kinds and has_unencrypted_fields(part, kinds[name])
        for name, part in parts
    )


def has_envelope(data: str) -> bool:
    """Return whether *data*, JSON, has an envelope or that of a destroyed key."""
    if '"$' not in data:
        return False
    message = msgspec.json.decode(data)
    return PERSONAL in message or FORGOTTEN in message

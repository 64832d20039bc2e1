"""
The envelope: the personal fields of a message, encrypted with a key of their subject.

A message keeps the names and values of its other fields. The personal ones are together
in one envelope, `{"total": 450, "$personal": {"key": …, "box": …}}`, AES-256-GCM over
their JSON. Once the key is destroyed it cannot be decrypted any more, in backups
neither: others call that crypto-shredding.
"""

import base64
import binascii
import os
from collections.abc import Callable, Collection, Iterable
from typing import Any
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventstore.encryption.keys import SubjectKey
from eventstore.errors.unreadable import TamperedEnvelope

PERSONAL = "$personal"
"""The field that holds the envelope."""
FORGOTTEN = "$forgotten"
"""The field that replaces an envelope whose key was destroyed."""

_NONCE = 12
_MARK = '"$personal"'


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """The replacement for a message's personal fields."""

    key: UUID
    box: str


class _Outside(msgspec.Struct, frozen=True, rename={"closed": PERSONAL}):
    closed: Envelope | None = None


_encode = msgspec.json.Encoder().encode
_outside = msgspec.json.Decoder(_Outside)


def encrypt_fields(
    data: str, personal: Collection[str], key: SubjectKey, about: UUID
) -> str:
    """
    Return the JSON object *data* with its *personal* fields in an envelope.

    *about* is the id of the message. The envelope can be decrypted only there, not in
    another message.
    """
    message: dict[str, Any] = msgspec.json.decode(data)
    inside = {name: message.pop(name) for name in personal if name in message}
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(key.secret).encrypt(nonce, _encode(inside), about.bytes)
    box = base64.b64encode(nonce + sealed).decode()
    message[PERSONAL] = Envelope(key=key.id, box=box)
    return _encode(message).decode()


def redact_fields(data: str, personal: Collection[str]) -> str:
    """Return *data* without the personal fields, as if the key was destroyed."""
    message: dict[str, Any] = msgspec.json.decode(data)
    kept = {name: message[name] for name in message if name not in personal}
    return _encode({**kept, FORGOTTEN: True}).decode()


def key_of(data: str) -> UUID | None:
    """Return the id of the key of the envelope in *data*, or None without one."""
    if _MARK not in data:
        return None
    try:
        closed = _outside.decode(data).closed
    except msgspec.DecodeError as error:
        raise TamperedEnvelope from error
    return closed.key if closed is not None else None


def keys_in(texts: Iterable[str]) -> set[UUID]:
    """Return the ids of the keys of the envelopes in *texts*."""
    # Most texts have none, and a stream may have ten thousand.
    return {key for text in texts if _MARK in text and (key := key_of(text))}


def decrypt_fields(
    data: str, about: UUID, find_key: Callable[[UUID], SubjectKey | None]
) -> str:
    """
    Return *data* with the decrypted fields; without an envelope, return it unchanged.

    If *find_key* has no key, `$forgotten` replaces the envelope. Raises
    TamperedEnvelope for one that was tampered with or belongs to another message.
    """
    key_id = key_of(data)
    if key_id is None:
        return data
    message: dict[str, Any] = msgspec.json.decode(data)
    box: str = message.pop(PERSONAL)["box"]
    key = find_key(key_id)
    if key is None:
        message[FORGOTTEN] = True
    else:
        message |= msgspec.json.decode(_decrypt(box, key, about))
    return _encode(message).decode()


def _decrypt(box: str, key: SubjectKey, about: UUID) -> bytes:
    try:
        sealed = base64.b64decode(box, validate=True)
        return AESGCM(key.secret).decrypt(sealed[:_NONCE], sealed[_NONCE:], about.bytes)
    except (InvalidTag, ValueError, binascii.Error) as error:
        raise TamperedEnvelope from error

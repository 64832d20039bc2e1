"""Keys of subjects, and the master key that they are wrapped with."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from eventstore.errors.unreadable import WrongMasterKey

_LENGTH = 32
_NONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectKey:
    """A key of one subject, the person that messages are about."""

    id: UUID
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedKey:
    """A stored key, encrypted with the master key whose id is *master*."""

    id: UUID
    master: str
    wrapped: bytes = field(repr=False)


def new_key() -> SubjectKey:
    """Return a new random key."""
    return SubjectKey(id=uuid4(), secret=os.urandom(_LENGTH))


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """
    The master key in force, and *former* ones that stored keys may still need.

    *current* has 32 bytes; *former* keys have 32 bytes each. To rotate, put a new one
    before the old: keys are wrapped with the first and opened with whichever fits,
    until `recount keys rotate` has wrapped all of them with the first.

    Raises ValueError for a key of another length.
    """

    current: bytes = field(repr=False)
    former: Sequence[bytes] = field(default=(), repr=False)
    by_name: dict[str, bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        masters = [self.current, *self.former]
        if any(len(master) != _LENGTH for master in masters):
            raise ValueError(f"a master key has {_LENGTH} bytes")
        object.__setattr__(self, "by_name", {name_of(m): m for m in masters})

    def wrap(self, key: SubjectKey) -> WrappedKey:
        """Return *key* as it may be stored."""
        nonce = os.urandom(_NONCE)
        wrapped = AESGCM(self.current).encrypt(nonce, key.secret, key.id.bytes)
        return WrappedKey(
            id=key.id,
            master=name_of(self.current),
            wrapped=nonce + wrapped,
        )

    def unwrap(self, stored: WrappedKey) -> SubjectKey:
        """
        Return the key that was wrapped.

        Raises WrongMasterKey where none of the master keys is its own.
        """
        master = self.by_name.get(stored.master)
        if master is None:
            raise WrongMasterKey(stored.master)
        try:
            secret = AESGCM(master).decrypt(
                stored.wrapped[:_NONCE], stored.wrapped[_NONCE:], stored.id.bytes
            )
        except (InvalidTag, ValueError) as error:
            raise WrongMasterKey(stored.master) from error
        return SubjectKey(id=stored.id, secret=secret)


def name_of(master: bytes) -> str:
    """Return a name for a master key that discloses nothing of it."""
    return hashlib.sha256(b"recount master key\0" + master).hexdigest()[:16]

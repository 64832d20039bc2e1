"""Keys of subjects in memory: the rules of `keep_keys`, `destroy_keys`, `find_keys`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

import msgspec

from eventstore.errors import KeyMadeElsewhere
from eventstore.personal.keyring import NewKey, StoredKey

_added = msgspec.json.Decoder(list[NewKey])


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryKey:
    """A key; without *wrapped* it was destroyed."""

    id: UUID
    subject: str
    is_own: bool = True
    master: str | None = None
    wrapped: bytes | None = field(default=None, repr=False)


class MemoryVault:
    """All keys. A transaction works on a copy, and puts it in the place."""

    def __init__(self, keys: Iterable[MemoryKey] = ()) -> None:
        self.keys = list(keys)

    def copy(self) -> "MemoryVault":
        return MemoryVault(self.keys)

    def find_keys(
        self, ids: Sequence[UUID], subjects: Sequence[str]
    ) -> Iterable[StoredKey]:
        """Return the keys called *ids*, and of each of *subjects* its own."""
        named = {key.subject for key in self.keys if key.id in ids}.union(subjects)
        return [
            (key.id, key.subject, key.is_own, key.master, key.wrapped)
            for key in self.keys
            if key.id in ids or (key.is_own and key.subject in named)
        ]

    def keep(self, new_keys: str | None) -> None:
        """
        Store the keys that a keyring has made; for who was forgotten, never one again.

        Raises KeyMadeElsewhere where a subject got its own meanwhile.
        """
        for new in _added.decode(new_keys or "[]"):
            subject = str(new.subject)
            if self.is_forgotten(subject):
                # What it was to open is born forgotten.
                self.keys.append(MemoryKey(id=new.id, subject=subject, is_own=False))
                continue
            if any(key.is_own and key.subject == subject for key in self.keys):
                raise KeyMadeElsewhere
            wrapped = bytes.fromhex(new.wrapped)
            kept = MemoryKey(
                id=new.id, subject=subject, master=new.master, wrapped=wrapped
            )
            self.keys.append(kept)

    def is_forgotten(self, subject: str) -> bool:
        return any(key.subject == subject and not key.wrapped for key in self.keys)

    def destroy(self, subjects: Iterable[str]) -> None:
        """Destroy all keys of *subjects*; one that never had a key gets none later."""
        for subject in subjects:
            self.keys = [
                replace(key, master=None, wrapped=None)
                if key.subject == subject
                else key
                for key in self.keys
            ]
            if not any(key.is_own and key.subject == subject for key in self.keys):
                self.keys.append(MemoryKey(id=uuid4(), subject=subject))

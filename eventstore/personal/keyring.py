"""The keyring: the keys for one piece of work, fetched at once, then dropped."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec
import psycopg

from eventstore.encryption.envelope import (
    PERSONAL,
    decrypt_fields,
    encrypt_fields,
    key_of,
    keys_in,
    redact_fields,
)
from eventstore.encryption.keys import MasterKeys, SubjectKey, WrappedKey, new_key
from eventstore.encryption.personal_fields import personal_fields
from eventstore.errors.unreadable import (
    KeyLost,
    MasterKeyMissing,
    TamperedEnvelope,
    UnreadableEvent,
)
from eventstore.log.events import RecordedEvent


class _Identified(msgspec.Struct):
    event_id: UUID


_identified = msgspec.json.Decoder(_Identified)


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key as the function `keep_keys` takes it."""

    id: UUID
    subject: str | None
    command_id: UUID | None = None
    master: str
    wrapped: str


# A key as it is stored: its id, its subject, whether it is the subject's own and not a
# command's, and by which master key it is wrapped; without *wrapped* it was destroyed.
StoredKey = tuple[UUID, str, bool, str | None, bytes | None]


class PrefetchedKeys(NamedTuple):
    """Keys returned with the rows; *without* are subjects that have no key."""

    keys: Sequence[StoredKey] = ()
    without: Collection[str] = ()


NO_PREFETCHED_KEYS = PrefetchedKeys()

# A command's key and its subject's own, as `take` writes them: the subject, then of
# each its id, by which master key it is wrapped, and what is wrapped, in hex.
_of_command = msgspec.json.Decoder(
    tuple[str, UUID, str | None, str | None, UUID | None, str | None, str | None]
)


def keys_of_commands(texts: Iterable[str | None]) -> PrefetchedKeys:
    """Return the keys to taken commands; *texts* are as `take` writes them."""
    keys: list[StoredKey] = []
    without = []
    for text in texts:
        if text is None:
            continue
        subject, key_id, master, wrapped, own_id, own_master, own = _of_command.decode(
            text
        )
        keys.append((key_id, subject, False, master, unhex(wrapped)))
        if own_id is None:
            without.append(subject)
        else:
            keys.append((own_id, subject, True, own_master, unhex(own)))
    return PrefetchedKeys(keys, without)


def unhex(wrapped: str | None) -> bytes | None:
    return None if wrapped is None else bytes.fromhex(wrapped)


class Vault(Protocol):
    """Where keys are stored, if not in the database."""

    def find_keys(
        self, ids: Sequence[UUID], subjects: Sequence[str]
    ) -> Iterable[StoredKey]:
        """Return the keys called *ids*, and of each of *subjects* its own."""


@dataclass(slots=True)
class Keyring:
    """
    The keys for what is read and written over one connection.

    It lives as long as one drain, one batch or one query: with older keys, a process
    could still read forgotten data. Without *masters* nothing is encrypted, and the
    marks of personal fields have no effect.

    *by_id* has keys by their id, *own* those of subjects by the subject's stream id;
    None is a key that was destroyed. *made* are new ones. *given* has keys as they were
    read, by id or stream id.
    """

    connection: psycopg.Connection[Any] | Vault
    masters: MasterKeys | None
    # None: it was destroyed, and the subject is forgotten.
    by_id: dict[UUID, SubjectKey | None] = field(default_factory=dict)
    own: dict[str, SubjectKey | None] = field(default_factory=dict)
    made: list[NewKey] = field(default_factory=list)
    # Keys returned with rows, unwrapped at first use; by id, and by subject if it is
    # the subject's own. None: the subject has none yet.
    given: dict[UUID | str, StoredKey | None] = field(default_factory=dict)

    def preload(self, prefetched: PrefetchedKeys) -> None:
        """Preload keys returned with the rows; `fetch` then skips them."""
        # A subject without a key in one answer may have one in the next.
        for subject in prefetched.without:
            self.given.setdefault(subject, None)
        for key in prefetched.keys:
            key_id, subject, is_own, *_ = key
            self.given[key_id] = key
            if is_own:
                self.given[subject] = key

    def decrypt_events(
        self,
        events: Sequence[RecordedEvent],
        is_wanted: Callable[[RecordedEvent], bool] = lambda _: True,
    ) -> Sequence[RecordedEvent]:
        """
        Return *events* with their personal fields, or as forgotten.

        Those that are not wanted are returned unchanged.
        """
        wanted = {e.position for e in events if PERSONAL in e.data and is_wanted(e)}
        ids = keys_in(event.data for event in events if event.position in wanted)
        if not ids:
            return events
        self.learn(ids)
        return [
            self.decrypt_event(event) if event.position in wanted else event
            for event in events
        ]

    def decrypt_readable(
        self,
        events: Sequence[RecordedEvent],
        is_wanted: Callable[[RecordedEvent], bool] = lambda _: True,
    ) -> Sequence[RecordedEvent]:
        """
        Return *events* as `decrypt_events` does, also if an envelope was tampered with.

        The data of such an event fit no class: only reading that one fails.
        """
        try:
            return self.decrypt_events(events, is_wanted)
        except UnreadableEvent:
            return [decrypt_if_readable(self, event, is_wanted) for event in events]

    def decrypt_event(self, event: RecordedEvent) -> RecordedEvent:
        """Return *event* with its personal fields, or as forgotten."""
        if key_of(event.data) is None:
            return event
        try:
            return event._replace(data=self.decrypt(event.data, about_of(event)))
        except TamperedEnvelope as error:
            raise UnreadableEvent(
                event.type, "its envelope was tampered with"
            ) from error

    def decrypt(self, data: str, about: UUID) -> str:
        """
        Return the JSON *data* of the message called *about* with its personal fields.
        """
        return decrypt_fields(data, about, self.find)

    def encrypt(self, data: str, kind: type, subject: str, about: UUID) -> str:
        """
        Return the JSON *data*, of the class *kind*, with its personal fields encrypted.
        """
        return self.close_fields(data, personal_fields(kind), subject, about)

    def close_fields(
        self, data: str, personal: Collection[str], subject: str, about: UUID
    ) -> str:
        """
        Return the JSON *data* with the fields *personal* encrypted.

        If *subject* is forgotten, they are left out.
        """
        if not personal or self.masters is None:
            return data
        key = self.own_key(subject)
        if key is None:
            return redact_fields(data, personal)
        return encrypt_fields(data, personal, key, about)

    def has_key(self, subject: str) -> bool:
        """Return whether *subject* has a key that is stored and not destroyed."""
        if subject not in self.own:
            self.fetch([], [subject])
        return self.own.get(subject) is not None

    def find(self, key_id: UUID) -> SubjectKey | None:
        """Return a key, or None if it was destroyed. Raises KeyLost."""
        self.learn([key_id])
        return self.by_id[key_id]

    def own_key(self, subject: str) -> SubjectKey | None:
        """Return the key of *subject*, a new one if need be; None: it is forgotten."""
        if self.masters is None:
            raise MasterKeyMissing
        if subject not in self.own:
            self.fetch([], [subject])
        if subject not in self.own:
            self.own[subject] = key = new_key()
            self.by_id[key.id] = key
            self.made.append(new_key_row(self.masters.wrap(key), subject))
        return self.own[subject]

    def wants_own(self, subject: str) -> bool:
        """Return whether the own key of *subject* would have to be fetched."""
        is_known = subject in self.own or subject in self.given
        return self.masters is not None and not is_known

    def learn(self, ids: Iterable[UUID]) -> None:
        """Fetch the keys *ids* that are not here yet, in one query."""
        missing = [key_id for key_id in ids if key_id not in self.by_id]
        if missing:
            self.fetch(missing, [])
        for key_id in missing:
            if key_id not in self.by_id:
                raise KeyLost(key_id)

    def learn_subjects(self, subjects: Iterable[str]) -> None:
        """Fetch the own keys of *subjects* that are not here yet, in one query."""
        missing = {subject for subject in subjects if subject not in self.own}
        if missing and self.masters is not None:
            self.fetch([], sorted(missing))

    def fetch(self, ids: Sequence[UUID], subjects: Sequence[str]) -> None:
        """Unwrap preloaded keys, and query the others."""
        if self.masters is None:
            raise MasterKeyMissing
        names: list[UUID | str] = [*ids, *subjects]
        self.unwrap(key for name in names if (key := self.given.get(name)))
        ids = [key_id for key_id in ids if key_id not in self.given]
        subjects = [subject for subject in subjects if subject not in self.given]
        if ids or subjects:
            self.unwrap(find_keys(self.connection, ids, subjects))

    def unwrap(self, stored_keys: Iterable[StoredKey]) -> None:
        """
        Keep *stored_keys*, unwrapped.

        Each of *stored_keys* has an id, the subject's stream id, whether it is the
        subject's own key, the name of its master key, and the wrapped bytes, None if it
        was destroyed.
        """
        assert self.masters is not None
        for key_id, subject, is_own, master, wrapped in stored_keys:
            key = None
            if wrapped is not None and master is not None:
                stored = WrappedKey(id=key_id, master=master, wrapped=wrapped)
                key = self.masters.unwrap(stored)
            self.by_id[key_id] = key
            if is_own:
                self.own[subject] = key

    @property
    def new_keys(self) -> str | None:
        """
        The JSON text of the keys that were made, for the append of what they encrypt.
        """
        return msgspec.json.encode(self.made).decode() if self.made else None

    def note_stored(self) -> None:
        """Note that the new keys are stored, and need not be stored again."""
        self.made.clear()


def find_keys(
    vault: psycopg.Connection[Any] | Vault,
    ids: Sequence[UUID],
    subjects: Sequence[str],
) -> Iterable[StoredKey]:
    """Return the keys called *ids*, and of each of *subjects* its own."""
    if not isinstance(vault, psycopg.Connection):
        return vault.find_keys(ids, subjects)
    return vault.execute(
        "SELECT id, subject, is_own, master, wrapped"
        " FROM public.find_keys(%s::uuid[], %s::text[])",
        (ids, subjects),
    )


def new_key_row(
    key: WrappedKey, subject: str | None, command_id: UUID | None = None
) -> NewKey:
    """Return the stored form of *key*; without a subject it is that of the stream."""
    return NewKey(
        id=key.id,
        subject=subject,
        command_id=command_id,
        master=key.master,
        wrapped=key.wrapped.hex(),
    )


def about_of(event: RecordedEvent) -> UUID:
    return _identified.decode(event.metadata).event_id


def decrypt_if_readable(
    keyring: Keyring, event: RecordedEvent, is_wanted: Callable[[RecordedEvent], bool]
) -> RecordedEvent:
    """Return *event* decrypted, or with data that fit no class."""
    try:
        return keyring.decrypt_events([event], is_wanted)[0]
    except UnreadableEvent:
        return event._replace(data="null")

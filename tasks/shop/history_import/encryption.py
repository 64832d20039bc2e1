"""Personal data of a plan: encrypt them to append, decrypt the log's to compare."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from eventstore.aggregates.decider import Deciders
from eventstore.encryption.envelope import FORGOTTEN, key_of
from eventstore.encryption.personal_fields import personal_fields
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.plan import PlannedEvent, event_id


def encrypt_events(
    some: Sequence[PlannedEvent], import_id: UUID, deciders: Deciders, keyring: Keyring
) -> list[PlannedEvent]:
    """Return *some* events as they are appended, their personal fields encrypted."""
    facts = [fact_of(planned, deciders) for planned in some]
    subjects = [subject_of(*pair, deciders) for pair in zip(some, facts, strict=True)]
    keyring.learn_subjects(subjects)
    return [
        planned._replace(
            data=keyring.encrypt(
                planned.data, type(fact), subject, event_id(import_id, planned)
            )
        )
        for planned, fact, subject in zip(some, facts, subjects, strict=True)
    ]


def fact_of(planned: PlannedEvent, deciders: Deciders) -> Any:
    return deciders.of_stream(planned.stream_id).events.decode(
        planned.type, planned.data
    )


def subject_of(planned: PlannedEvent, fact: Any, deciders: Deciders) -> str:
    """Return the subject whose key it needs; without personal fields, its stream."""
    kind: type = type(fact)
    if not personal_fields(kind):
        return planned.stream_id
    return deciders.of_stream(planned.stream_id).subject(planned.stream_id, fact)


def learn_keys(texts: Iterable[str], keyring: Keyring) -> None:
    keyring.learn({key_id for text in texts if (key_id := key_of(text))})


def is_same(planned: PlannedEvent, kept: str, about: UUID, keyring: Keyring) -> bool:
    """Return whether the log's *kept* data are the planned ones."""
    there: Mapping[str, Any] = msgspec.json.decode(keyring.decrypt(kept, about))
    ours: dict[str, Any] = msgspec.json.decode(planned.data)
    if FORGOTTEN in there:
        # The subject was forgotten: the data cannot be compared any more.
        ours = {name: ours[name] for name in ours if name in there}
        there = {name: there[name] for name in there if name != FORGOTTEN}
    return there == ours

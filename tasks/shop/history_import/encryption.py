"""Personal data of a plan: encrypt them to append, decrypt the log's to compare."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from domain.orders.events import OrderCreated
from eventstore.aggregates.decider import Deciders
from eventstore.encryption.envelope import FORGOTTEN, key_of
from eventstore.encryption.personal_fields import personal_fields
from eventstore.log.events import RecordedEvent
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


def means_same(
    planned: PlannedEvent, kept: RecordedEvent, deciders: Deciders, keyring: Keyring
) -> bool:
    """
    Return whether an event of the log says today what is planned.

    It may be of an earlier schema. Raises EventStoreError if nobody can read it.
    """
    opened = keyring.decrypt_event(kept)
    theirs = list(deciders.of_stream(kept.stream_id).events.read(opened))
    ours = fact_of(planned, deciders)
    if len(theirs) == 1 and isinstance(theirs[0], type(ours)):
        ours = as_told_there(ours, theirs[0], is_forgotten=FORGOTTEN in opened.data)
    return theirs == [ours]


def as_told_there(ours: Any, theirs: Any, *, is_forgotten: bool) -> Any:
    """Return a planned fact with what the one of the log cannot tell taken from it."""
    if is_forgotten:
        kind: type = type(ours)
        names = personal_fields(kind)
        ours = replace(ours, **{name: getattr(theirs, name) for name in names})
    if isinstance(ours, OrderCreated) and theirs.terms is None:
        # Before version 3 an order had no days to pay, and an import gives each some.
        ours = replace(ours, terms=None)
    return ours

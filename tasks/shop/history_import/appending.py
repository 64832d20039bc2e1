"""Append a plan in batches that are the same at each run."""

from collections.abc import Iterator, Sequence, Set
from typing import Any

import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.errors import WrongExpectedVersion
from eventstore.log.bulk_append import append_bulk, batches
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.encryption import (
    encrypt_events,
    fact_of,
    subject_of,
)
from tasks.shop.history_import.errors import StreamsUsedOtherwise
from tasks.shop.history_import.plan import Plan, PlannedEvent


def append_missing(
    connection: psycopg.Connection[Any],
    plan: Plan,
    wanted: Set[int],
    deciders: Deciders,
) -> Iterator[int]:
    """
    Append the events in the places *wanted*; yield the number that each batch added.

    The whole plan is cut into batches by count and size, and each batch is appended as
    a whole. So a killed run leaves whole batches, and the next run has the same ones.
    Raises StreamsUsedOtherwise if another writer appended meanwhile.
    """
    keyring = Keyring(connection, deciders.masters)
    for places in batches(planned.data for planned in plan.events):
        missing = [plan.events[place] for place in places if place in wanted]
        if missing:
            batch = encrypt_events(missing, plan.import_id, deciders, keyring)
            forgotten = forgotten_by(missing, deciders)
            append_batch(connection, plan, batch, keyring.new_keys, forgotten)
            keyring.note_stored()
            yield len(missing)


def append_batch(
    connection: psycopg.Connection[Any],
    plan: Plan,
    batch: Sequence[PlannedEvent],
    new_keys: str | None,
    forgotten: Sequence[str],
) -> None:
    expected: dict[str, int] = {}
    for planned in batch:
        expected.setdefault(planned.stream_id, planned.version - 1)
    try:
        append_bulk(
            connection,
            plan.new_events(batch),
            expected=expected,
            new_keys=new_keys,
            forgotten=forgotten,
        )
    except WrongExpectedVersion as error:
        reason = "was written to by somebody else while the import ran"
        raise StreamsUsedOtherwise({error.stream_id: reason}) from error


def forgotten_by(some: Sequence[PlannedEvent], deciders: Deciders) -> list[str]:
    """Return the subjects whose keys are destroyed with *some* events."""
    forgets = {kind.__name__ for kind in deciders.forgets}
    return [
        subject_of(planned, fact_of(planned, deciders), deciders)
        for planned in some
        if planned.type in forgets
    ]

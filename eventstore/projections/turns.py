"""The events of a batch, each with its facts and with what they change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from eventstore.log.codec import DecodedEvents
from eventstore.log.events import RecordedEvent
from eventstore.projections.projection import (
    Fact,
    Key,
    LookedUp,
    Projection,
    Row,
    Update,
)


class FoldStep(NamedTuple):
    """A fact, the key of the row that it changes, and the looked-up values."""

    fact: Fact
    key: Key
    looked_up: LookedUp


class LookupChange(NamedTuple):
    """A changed row of a look-up, and what it was."""

    name: str
    key: Key
    old: Row | None


@dataclass(slots=True)
class Turn:
    """
    One event of the batch: its facts, and what they change.

    *error* is set where it could not be decoded, or not be aimed. *changes* are folds
    and updates, in order; None until it is aimed.
    """

    event: RecordedEvent
    facts: Sequence[Fact] = ()
    error: Exception | None = None
    changes: list[FoldStep | Update] | None = None
    lookups: list[LookupChange] | None = None


def keys_of(turn: Turn) -> list[Key]:
    """Return the keys of the rows that an event folds."""
    return [one.key for one in turn.changes or () if isinstance(one, FoldStep)]


def keys_to_look_up(
    projection: Projection, turns: Iterable[Turn]
) -> dict[str, set[Key]]:
    """Return the keys that events change or need in each look-up, if any."""
    keys: dict[str, set[Key]] = {lookup.name: set() for lookup in projection.lookups}
    for turn in turns:
        try:
            for fact in turn.facts:
                for lookup in projection.lookups:
                    key = lookup.key_of(fact)
                    if key is not None:
                        keys[lookup.name].add(key)
                for name, needed in projection.needs(fact).items():
                    keys[name].add(needed)
        except Exception as error:
            # Told in its turn, and not tried again: it may be a time limit.
            turn.facts, turn.error = (), error
    return {name: some for name, some in keys.items() if some}


def facts_of(
    projection: Projection, event: RecordedEvent, decoded: DecodedEvents
) -> list[Fact]:
    """
    Return the facts of an event for the projection; none if it does not read its type.

    *decoded* is a cache of decoded events, shared with other projections.
    """
    return [
        Fact(
            body,
            event.stream_id,
            event.position,
            event.version,
            event.occurred_at,
            event.metadata,
        )
        for body in projection.codec.read(event, decoded)
    ]

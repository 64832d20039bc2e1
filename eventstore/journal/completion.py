"""Complete commands: append their events and store their outcomes, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.claims import ClaimChange
from eventstore.log.append import call_append
from eventstore.log.arguments import (
    Arguments,
    append_arguments,
    json_array,
    later_arguments,
    plain_array,
    text_array,
)
from eventstore.log.events import AppendedEvent, NewEvent
from eventstore.log.limits import check_append


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A command's outcome, stored in the transaction of its events."""

    command_id: UUID
    status: str
    error: Mapping[str, Any] | None = None


def append_and_complete(
    connection: psycopg.Connection[Any],
    events: Sequence[tuple[str, NewEvent]],
    *,
    expected: Mapping[str, int],
    completing: Sequence[Completion],
    claims: Sequence[ClaimChange] = (),
    new_keys: str | None = None,
    forgotten: Sequence[str] = (),
) -> list[AppendedEvent]:
    """
    Append *events* as `append` does, and complete the commands that decided them.

    *completing* are in the order in which they were decided; the first of *expected* is
    their stream. Returns the place of each event. If these commands were completed by
    the same events before, it returns the places of the first time.

    Raises CommandAlreadyFinished, and what `append` raises; nothing has changed then.
    """
    check_append(expected, events)
    parts = [
        append_arguments(events, expected),
        later_arguments(claims, new_keys, forgotten),
        completing_arguments(completing),
    ]
    return call_append(connection, "append_and_complete", events, expected, parts)


def completing_arguments(completing: Sequence[Completion]) -> Arguments:
    """Return its further arguments: the commands to finish, and their outcomes."""
    errors = json_array([json_of(done.error) for done in completing])
    return Arguments(
        f"%s::uuid[], %s::text[], {errors.places}",
        (
            plain_array([done.command_id for done in completing]),
            text_array([done.status for done in completing]),
            *errors.values,
        ),
    )


def json_of(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()

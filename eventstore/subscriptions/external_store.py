"""Reading the log into another store: its checkpoint names the event found there."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from eventstore.errors import CheckpointNotInLog
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_all


class ForeignCheckpoint(NamedTuple):
    """
    The last event that was read, as a store outside of the log's database keeps it.

    *position* and *event_id* are those of the event; 0 and None before the first. Never
    keep what `settled` returns: an append that was rolled back flushes nothing, so a
    crash may set the log's sequence back behind it, and positions come again.
    """

    position: int = 0
    event_id: UUID | None = None


class Batch(NamedTuple):
    """Events, and the checkpoint that is kept once they are handled."""

    events: list[RecordedEvent]
    checkpoint: ForeignCheckpoint


def read_on(
    connection: psycopg.Connection[Any],
    name: str,
    checkpoint: ForeignCheckpoint,
    *,
    limit: int,
    types: Sequence[str] | None = None,
) -> Batch:
    """
    Return at most *limit* events behind *checkpoint*, and the next checkpoint.

    *connection* is in autocommit. *name* is the subscription's name, for the error.
    *types* leaves out other events, None leaves out none. There is no more to read when
    the checkpoint that comes back is the one that was given.

    Raises CheckpointNotInLog where the log is not the one that was read so far.
    """
    goal = settled_in_the_same_log(connection, name, checkpoint)
    events = read_all(
        connection, after=checkpoint.position, up_to=goal, limit=limit, types=types
    )
    end = events[-1].position if len(events) == limit else goal
    return Batch(events, last_up_to(connection, end, checkpoint))


def settled_in_the_same_log(
    connection: psycopg.Connection[Any], name: str, checkpoint: ForeignCheckpoint
) -> int:
    """Return what is settled, if the log has the event that was read last."""
    row = connection.execute(
        """
        SELECT public.settled(), public.checkpoint_fault(%s, %s)
        """,
        (checkpoint.position, checkpoint.event_id and str(checkpoint.event_id)),
    ).fetchone()
    assert row is not None
    goal, fault = row
    if fault is not None:
        remedy = f"Rebuild {name} from the beginning"
        raise CheckpointNotInLog(name, checkpoint.position, remedy)
    return int(goal)


def last_up_to(
    connection: psycopg.Connection[Any], end: int, checkpoint: ForeignCheckpoint
) -> ForeignCheckpoint:
    """Return the last event up to *end*, of whatever type, or where we stood."""
    row = connection.execute(
        """
        SELECT id, (metadata ->> 'event_id')::uuid
        FROM public.events WHERE id > %s AND id <= %s
        ORDER BY id DESC LIMIT 1
        """,
        (checkpoint.position, end),
    ).fetchone()
    return checkpoint if row is None else ForeignCheckpoint(*row)

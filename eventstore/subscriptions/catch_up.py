"""Catching up: from the checkpoint to *settled*, batch by batch, each a transaction."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

from eventstore.errors import CannotProject, CheckpointNotInLog
from eventstore.errors.refusals import (
    ends_the_session,
    is_lost_connection,
    raise_misplaced,
)
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_all
from eventstore.personal.keyring import Keyring
from eventstore.subscriptions.stop_reasons import as_kept, note_stop
from eventstore.subscriptions.subscription import Subscription

GONE = (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """
    Where a subscription is after catching up, and what stopped it.

    *checkpoint* is the position up to which it has read, *handled* the number of events
    that were handled. *is_held* is True if another process was catching it up. If it is
    stopped, *error* says why, and *stopped_at* is the position of the event before
    which it stands, if the event is at fault.
    """

    checkpoint: int = 0
    handled: int = 0
    is_held: bool = False
    stopped_at: int | None = None
    error: Exception | None = field(default=None, compare=False)


class BatchFailed(Exception):
    """A batch of more than one event was not taken, and one of them is why."""

    def __init__(self, events: int) -> None:
        self.events = events


class EventRefused(CannotProject):
    """What a single event brings was refused when it was written, not by the fold."""


class Step(NamedTuple):
    checkpoint: int
    handled: int
    is_last: bool


def catch_up(
    connection: psycopg.Connection[Any],
    subscription: Subscription,
    *,
    seconds: float = math.inf,
    up_to: int | None = None,
    interruptions: tuple[type[Exception], ...] = (),
) -> CaughtUp:
    """
    Bring *subscription* up to what was settled when each batch was read.

    *connection* is in autocommit: each batch is a transaction. The process that catches
    up holds the checkpoint's row, and others pass by: two beats, two workers and a
    signal that comes twice are harmless. An event that cannot be handled stops it
    there, with all before it handled; the next call tries that event again. So does a
    checkpoint that is not in this log, and whatever else keeps it from reading: the
    error is noted in its row, and returned. After *seconds* the rest is left to the
    next call, between two batches. *up_to* is a position to which it is read at most.

    Raises what tells that the database is away, and *interruptions*, the errors that a
    runner's own time limit raises: neither is an event's fault.
    """
    until = time.monotonic() + seconds
    handled = 0
    # The last event whose stream was parked here: that must help, or it stops.
    passed = 0
    stop: CannotProject | None = None
    batch = subscription.batch
    while True:
        try:
            step = advance(connection, subscription, batch, stop, interruptions, up_to)
        except CannotProject as earlier:
            if isinstance(earlier.reason, interruptions):
                raise earlier.reason from earlier
            is_new = isinstance(earlier, EventRefused) and earlier.position > passed
            if is_new and is_parked(connection, subscription, earlier):
                passed = earlier.position
                batch = subscription.batch
                continue
            # The batch is undone: again, up to before this event. It may hide another
            # that comes before it, since a batch is decoded before it is folded.
            stop = earlier
            continue
        except BatchFailed as failed:
            # One of these events is not taken: smaller batches, until it is alone.
            batch = failed.events // 2
            continue
        except Exception as error:
            is_interrupted = isinstance(error, interruptions)
            if is_interrupted or ends_the_session(connection, error):
                raise
            note_stop(connection, subscription.name, error)
            return CaughtUp(handled=handled, error=error)
        if step is None:
            return CaughtUp(handled=handled, is_held=True)
        handled += step.handled
        if step.is_last or time.monotonic() > until:
            stopped_at = None if stop is None else stop.position
            return CaughtUp(step.checkpoint, handled, stopped_at=stopped_at, error=stop)


def advance(
    connection: psycopg.Connection[Any],
    subscription: Subscription,
    batch: int,
    stop: CannotProject | None = None,
    interruptions: tuple[type[Exception], ...] = (),
    up_to: int | None = None,
) -> Step | None:
    """
    Handle *batch* events and move the checkpoint; None if another process holds it.

    With *stop* it goes up to before that event, and notes that it stands still there;
    with *up_to*, a position, it ends there.
    In a pipeline, so that what is written and the commit travel together.

    Raises CheckpointNotInLog where what was read so far is not in this log.
    """
    events: list[RecordedEvent] = []
    try:
        with connection.pipeline(), connection.transaction():
            row = connection.execute(
                """
                SELECT
                    checkpoint, public.settled(), error IS NOT NULL,
                    -- Behind settled, so that it sees all that settled counts.
                    public.checkpoint_fault(checkpoint, event_id)
                FROM public.subscriptions WHERE name = %s FOR UPDATE SKIP LOCKED
                """,
                (subscription.name,),
            ).fetchone()
            if row is None:
                return None
            checkpoint, settled, has_stopped, fault = row
            if fault is not None:
                raise CheckpointNotInLog(subscription.name, checkpoint)
            if stop is not None and stop.position <= checkpoint:
                # Another process has passed it meanwhile.
                stop = None
            goal = settled if stop is None else min(stop.position - 1, settled)
            goal = goal if up_to is None else min(goal, up_to)
            if goal <= checkpoint and stop is None:
                if has_stopped:
                    move_checkpoint(connection, subscription.name, checkpoint, None)
                return Step(checkpoint, 0, True)
            # A statement of its own: a snapshot that is newer than what settled told.
            events += read_all(
                connection,
                after=checkpoint,
                up_to=goal,
                limit=batch,
                types=subscription.types,
                only=subscription.only,
            )
            if events:
                subscription.handler(
                    connection, decrypt_for(connection, events, subscription)
                )
            is_last = len(events) < batch
            reached = max(checkpoint, goal if is_last else events[-1].position)
            move_checkpoint(connection, subscription.name, reached, stop)
            return Step(reached, len(events), is_last)
    except Exception as error:
        is_nobodys_fault = is_lost_connection(error) or isinstance(error, interruptions)
        raise_misplaced(error, subscription.name)
        is_told = isinstance(error, CannotProject | CheckpointNotInLog)
        # What PostgreSQL could not do at this moment (a lock, a limit, a full disk) is
        # among them, too: no smaller batch helps.
        if not events or is_told or is_nobodys_fault:
            raise
        # The table that the handler writes to was dropped: no smaller batch helps.
        if isinstance(error, GONE):
            raise CannotProject(events[0].position, error) from error
        if len(events) == 1:
            raise EventRefused(events[0].position, error) from error
        raise BatchFailed(len(events)) from error


def is_parked(
    connection: psycopg.Connection[Any],
    subscription: Subscription,
    refused: CannotProject,
) -> bool:
    """Park the stream of a refused event if the subscription does so."""
    return subscription.park is not None and subscription.park(connection, refused)


def decrypt_for(
    connection: psycopg.Connection[Any],
    events: Sequence[RecordedEvent],
    subscription: Subscription,
) -> Sequence[RecordedEvent]:
    """Return *events* as the subscription gets them."""
    if subscription.masters is None:
        return events
    keyring = Keyring(connection, subscription.masters)
    if subscription.park is None:
        return keyring.decrypt_events(events, subscription.opens)
    # One that cannot be read is parked when it is folded.
    return keyring.decrypt_readable(events, subscription.opens)


def move_checkpoint(
    connection: psycopg.Connection[Any],
    name: str,
    checkpoint: int,
    stop: CannotProject | None,
) -> None:
    """
    Move a checkpoint, and store whether it is stopped there, and why.

    A trigger stores the event at it, but only if `moved_at` is set, too.
    """
    connection.execute(
        """
        UPDATE public.subscriptions
        SET checkpoint = %(checkpoint)s, moved_at = clock_timestamp(),
            stopped_at_position = %(stop)s, error = %(error)s::text::jsonb,
            tries = CASE WHEN %(error)s IS NULL THEN 0 ELSE tries END,
            next_try_at = CASE WHEN %(error)s IS NOT NULL THEN next_try_at END,
            stopped_since = CASE
                WHEN %(error)s IS NULL THEN NULL
                WHEN stopped_at_position = %(stop)s
                    THEN coalesce(stopped_since, clock_timestamp())
                ELSE clock_timestamp()
            END
        WHERE name = %(name)s
        """,
        {
            "checkpoint": checkpoint,
            "stop": None if stop is None else stop.position,
            "error": None if stop is None else as_kept(stop),
            "name": name,
        },
    )


def lag(connection: psycopg.Connection[Any], names: Sequence[str]) -> int:
    """
    Return the number of positions that the slowest subscription is behind the log.

    *names* are names of subscriptions; those that have stopped are left out. The log
    counts up to what is settled.
    """
    row = connection.execute(
        """
        SELECT public.settled() - min(checkpoint)
        FROM public.subscriptions
        WHERE name = ANY (%s) AND error IS NULL AND stopped_at_position IS NULL
        """,
        (list(names),),
    ).fetchone()
    return max(row[0] or 0, 0) if row else 0

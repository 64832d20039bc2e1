"""Catching up: from the checkpoint to *settled*, batch by batch, each a transaction."""

from typing import Any, NamedTuple

import msgspec
import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.errors import CannotProject
from eventstore.log.read import read_all
from eventstore.subscriptions.subscription import Subscription


class CaughtUp(NamedTuple):
    """Where a subscription stands; *is_held* where somebody else was catching it up."""

    checkpoint: int = 0
    handled: int = 0
    is_held: bool = False
    stopped_at: int | None = None


class Step(NamedTuple):
    checkpoint: int
    handled: int
    is_last: bool


def catch_up(engine: sa.Engine, subscription: Subscription) -> CaughtUp:
    """
    Bring *subscription* up to what was settled when each batch was read.

    Whoever catches up holds the checkpoint's row, and others pass by: two beats, two
    workers and a signal that comes twice are harmless. An event that cannot be handled
    stops it there, with all before it handled; the next call tries that event again.
    """
    handled = 0
    while True:
        try:
            step = advance(engine, subscription)
        except CannotProject as stop:
            # The batch is undone: do what comes before the event, and say where we are.
            before = advance(engine, subscription, up_to=stop.position - 1, stop=stop)
            done = before.handled if before else 0
            return CaughtUp(stop.position - 1, handled + done, False, stop.position)
        if step is None:
            return CaughtUp(handled=handled, is_held=True)
        handled += step.handled
        if step.is_last:
            return CaughtUp(step.checkpoint, handled)


def advance(
    engine: sa.Engine,
    subscription: Subscription,
    *,
    up_to: int | None = None,
    stop: CannotProject | None = None,
) -> Step | None:
    """Handle one batch and move the checkpoint; None where somebody else holds it."""
    with engine.begin() as transaction:
        connection = driver_connection(transaction)
        row = connection.execute(
            """
            SELECT checkpoint, greatest(checkpoint, public.settled())
            FROM public.subscriptions WHERE name = %s FOR UPDATE SKIP LOCKED
            """,
            (subscription.name,),
        ).fetchone()
        if row is None:
            return None
        checkpoint, settled = row
        goal = settled if up_to is None else min(up_to, settled)
        # A statement of its own, so a snapshot that is newer than what settled told.
        events = read_all(
            connection,
            after=checkpoint,
            up_to=goal,
            limit=subscription.batch,
            types=subscription.types,
        )
        if events:
            subscription.handler(connection, events)
        is_last = len(events) < subscription.batch
        reached = goal if is_last else events[-1].position
        move_checkpoint(connection, subscription.name, max(reached, checkpoint), stop)
        return Step(reached, len(events), is_last)


def move_checkpoint(
    connection: psycopg.Connection[Any],
    name: str,
    checkpoint: int,
    stop: CannotProject | None,
) -> None:
    """Move a checkpoint; the row is written only where that changes something."""
    position = None if stop is None else stop.position
    error = None if stop is None else {"error": str(stop)}
    connection.execute(
        """
        UPDATE public.subscriptions
        SET checkpoint = %(checkpoint)s, moved_at = clock_timestamp(),
            stopped_at_position = %(position)s, error = %(error)s::text::jsonb
        WHERE name = %(name)s AND (
            checkpoint <> %(checkpoint)s
            OR stopped_at_position IS DISTINCT FROM %(position)s::bigint
        )
        """,
        {
            "name": name,
            "checkpoint": checkpoint,
            "position": position,
            "error": None if error is None else msgspec.json.encode(error).decode(),
        },
    )

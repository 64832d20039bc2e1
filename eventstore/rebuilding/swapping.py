"""Put a filled generation behind the plain name; readers never wait for long."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from eventstore.errors import CannotProject, CheckpointNotInLog, RebuildFailed
from eventstore.errors.rebuilding import ViewInUse
from eventstore.errors.text import error_text
from eventstore.log.read import settled
from eventstore.projections.generations import (
    drop_generation,
    existing_generations,
    live_generations,
    put_live,
    renumber,
)
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of
from eventstore.rebuilding.filling import read_up_to
from eventstore.subscriptions.catch_up import BatchFailed, advance
from eventstore.subscriptions.subscription import Subscription

LOCK_TIMEOUT_MS = 50
"""Waiting for the view's lock blocks every later reader: not for longer."""
KEPT = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DependentObjectsStillExist,
)
MAX_SECONDS_OF_SWAP = 60.0
"""Seconds after which a swap is given up if the view is never free."""


class Swap:
    """
    Puts the generation *number*, which *subscription* fills, behind the plain name.

    It gets the number *new* with that, if this is another one.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        subscription: Subscription,
        number: int,
        new: int,
    ) -> None:
        self.connection = connection
        self.projection = projection
        self.subscription = subscription
        self.number = number
        self.new = new
        self.tried = 0
        self.seconds = 0.0

    def run(self, show: Callable[[int], None] = lambda _: None) -> int:
        """
        Do it; return the position up to which the new rows have read the log.

        In one transaction that holds both checkpoints, so that neither moves. If a
        reader holds the view for longer than the lock timeout, it is rolled back, new
        events are read, and it is tried again.
        """
        until = time.monotonic() + MAX_SECONDS_OF_SWAP
        while True:
            goal = settled(self.connection)
            read_up_to(self.connection, self.subscription, goal, show)
            self.tried += 1
            started = time.monotonic()
            try:
                position = self.swap_once()
            except psycopg.errors.LockNotAvailable as error:
                if time.monotonic() > until:
                    raise ViewInUse(
                        self.projection.name, MAX_SECONDS_OF_SWAP
                    ) from error
                time.sleep(random.uniform(0.05, 0.2))
            except psycopg.errors.DependentObjectsStillExist as error:
                raise RebuildFailed(
                    self.projection.name,
                    f"something is built upon its view: {error_text(error)}",
                ) from error
            else:
                self.seconds = time.monotonic() - started
                return position

    def swap_once(self) -> int:
        connection = self.connection
        live = live_generations(connection).get(self.projection.name)
        names = [self.subscription.name]
        if live is not None:
            names.append(name_of(self.projection.name, live.number))
        with connection.transaction():
            # Both are held, so the live one cannot move while the new one passes it.
            connection.execute(
                """
                SELECT FROM public.subscriptions WHERE name = ANY (%s)
                ORDER BY name FOR UPDATE
                """,
                (names,),
            )
            position = read_on(connection, self.subscription)
            # From here on readers wait. A lock that is not free soon is tried again.
            connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            if self.new != self.number:
                renumber(connection, self.projection, self.number, self.new)
            put_live(connection, self.projection, self.new)
        return position


def read_on(connection: psycopg.Connection[Any], subscription: Subscription) -> int:
    """Read events since the filling, in the transaction of the swap."""
    while True:
        try:
            step = advance(connection, subscription, subscription.batch)
        except (CannotProject, CheckpointNotInLog, BatchFailed) as error:
            raise RebuildFailed(subscription.name, str(error)) from error
        assert step is not None
        if step.is_last:
            return step.checkpoint


def drop_old(
    connection: psycopg.Connection[Any], projection: Projection, live: int
) -> None:
    """Drop all but the generation that was live before, unless it is in use."""
    older = [n for n in existing_generations(connection, projection.name) if n < live]
    for number in sorted(older)[:-1]:
        with suppress(*KEPT), connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            drop_generation(connection, projection.name, number)

"""Rebuilding: a new generation is filled beside the live one, then takes its place."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import NamedTuple

import psycopg
from psycopg import sql

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject, CheckpointNotInLog, RebuildFailed
from eventstore.errors.refusals import is_lost_connection
from eventstore.errors.text import error_text
from eventstore.log.read import settled
from eventstore.projections.change_tracking import ensure_changes
from eventstore.projections.generations import (
    REBUILDING,
    drop_generation,
    drop_view,
    existing_generations,
    live_generations,
    make_tables,
    put_live,
)
from eventstore.projections.parking import Parker
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of, tables_of
from eventstore.subscriptions.catch_up import BatchFailed, advance, catch_up
from eventstore.subscriptions.subscription import Subscription

BATCH = 2_000
"""Events a transaction: fewer round trips than the 500 that keep a live list fresh."""
LOCK_TIMEOUT_MS = 50
"""Waiting for the view's lock blocks every later reader: not for longer."""
KEPT = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DependentObjectsStillExist,
)
MAX_SECONDS_OF_SWAP = 60.0
"""Seconds after which a swap is given up if the view is never free."""


class Progress(NamedTuple):
    """The position of a filling, and the log's at that moment."""

    position: int
    goal: int


class Rebuilt(NamedTuple):
    """
    A read model after its rebuild, and how the swap went.

    *generation* is the number of the generation that is live now, *position* the one up
    to which it has read the log. *swaps_tried* is the number of times that it was put
    live, the last with success.
    """

    generation: int
    position: int
    seconds: float
    swaps_tried: int


def rebuild(
    connection: psycopg.Connection,
    projection: Projection,
    *,
    show: Callable[[Progress], None] = lambda _: None,
    masters: MasterKeys | None = None,
    parker: Parker | None = None,
) -> Rebuilt:
    """
    Fill a new generation of a read model from the log, and put it behind the name.

    It also works if there is none yet, or if its tables were dropped. Readers see the
    old rows until they see the new ones, and these are at least as new. The generation
    that was live is kept until the next rebuild; what a rebuild that was killed left
    behind is dropped first. *connection* is in autocommit and is used for nothing else.
    *masters* open the personal fields of events. With a *parker* an event that cannot
    be projected parks its stream for the new generation, and the filling goes on.

    Raises RebuildFailed if an event cannot be projected, or another process rebuilds
    the same; the live generation is then as it was.
    """
    started = time.monotonic()
    with alone(connection, projection):
        number = begin(connection, projection)
        follow = subscription_of if parker is None else parker.subscription_of
        subscription = replace(follow(projection, number), batch=BATCH, masters=masters)
        try:
            fill(connection, subscription, show)
            index(connection, projection, number)
            position, tried = swap(connection, projection, subscription, number, show)
        except BaseException as error:
            # What cannot be dropped now, the next rebuild drops.
            with suppress(psycopg.Error), connection.transaction():
                drop_generation(connection, projection.name, number)
            if isinstance(error, psycopg.Error) and not is_lost_connection(error):
                raise RebuildFailed(projection.name, error_text(error)) from error
            raise
        drop_old(connection, projection, number)
    return Rebuilt(number, position, time.monotonic() - started, tried)


@contextmanager
def alone(connection: psycopg.Connection, projection: Projection) -> Iterator[None]:
    """Hold this session's lock on rebuilding a read model, or raise RebuildFailed."""
    row = connection.execute(
        f"SELECT pg_try_advisory_lock({REBUILDING})", (projection.name,)
    ).fetchone()
    if row != (True,):
        raise RebuildFailed(projection.name, "somebody else is rebuilding it")
    try:
        yield
    finally:
        # A broken connection has released it already.
        with suppress(psycopg.Error):
            connection.execute(
                f"SELECT pg_advisory_unlock({REBUILDING})", (projection.name,)
            )


def begin(connection: psycopg.Connection, projection: Projection) -> int:
    """Make the tables of a new generation; drop what a killed rebuild left."""
    with connection.transaction():
        live = live_generations(connection).get(projection.name)
        newest = live.number if live else 0
        if live is None:
            # Its row was lost, and the view may still hang on one of the tables.
            drop_view(connection, projection.name)
        for number in existing_generations(connection, projection.name):
            if number > newest:
                drop_generation(connection, projection.name, number)
        tables = make_tables(connection, projection, newest + 1)
        tables.rows.create_indexes(connection, are_early=True)
    return newest + 1


def fill(
    connection: psycopg.Connection,
    subscription: Subscription,
    show: Callable[[Progress], None],
) -> None:
    """Read the log up to *settled*, reporting progress."""
    while True:
        goal = settled(connection)
        reached = catch_up(connection, subscription, seconds=0.2)
        if reached.error is not None or reached.is_held:
            reason = str(reached.error or "its checkpoint was taken away")
            raise RebuildFailed(subscription.name, reason) from reached.error
        show(Progress(reached.checkpoint, max(goal, reached.checkpoint)))
        if reached.checkpoint >= goal:
            return


def index(connection: psycopg.Connection, projection: Projection, number: int) -> None:
    """Create the indexes left out for the filling, and analyse the tables."""
    tables = tables_of(projection, number)
    tables.rows.create_indexes(connection, are_early=False)
    # Its changes begin here: nobody follows it before it is live.
    with connection.transaction():
        ensure_changes(connection, projection.name, tables.rows)
    for table in (tables.rows, *tables.lookups.values()):
        connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))


def swap(
    connection: psycopg.Connection,
    projection: Projection,
    subscription: Subscription,
    number: int,
    show: Callable[[Progress], None],
) -> tuple[int, int]:
    """
    Put the new generation behind the name; return its position and the tries it took.

    In one transaction that holds both checkpoints, so that neither moves. If a reader
    holds the view for longer than the lock timeout, it is rolled back, new events are
    read, and it is tried again.
    """
    until = time.monotonic() + MAX_SECONDS_OF_SWAP
    tried = 0
    while True:
        fill(connection, subscription, show)
        tried += 1
        try:
            return swap_once(connection, projection, subscription, number), tried
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > until:
                raise RebuildFailed(
                    projection.name,
                    f"its view was not free for {MAX_SECONDS_OF_SWAP:.0f} s: end the"
                    " transactions that read it, and rebuild again",
                ) from error
            time.sleep(random.uniform(0.05, 0.2))
        except psycopg.errors.DependentObjectsStillExist as error:
            raise RebuildFailed(
                projection.name,
                f"something is built upon its view: {error_text(error)}",
            ) from error


def swap_once(
    connection: psycopg.Connection,
    projection: Projection,
    subscription: Subscription,
    number: int,
) -> int:
    live = live_generations(connection).get(projection.name)
    names = [subscription.name]
    if live is not None:
        names.append(name_of(projection.name, live.number))
    with connection.transaction():
        # Both are held, so the live one cannot move while the new one passes it.
        connection.execute(
            """
            SELECT FROM public.subscriptions WHERE name = ANY (%s)
            ORDER BY name FOR UPDATE
            """,
            (names,),
        )
        position = read_on(connection, subscription)
        # From here on readers wait. A lock that is not free soon is tried again.
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        put_live(connection, projection, number)
    return position


def read_on(connection: psycopg.Connection, subscription: Subscription) -> int:
    """Read events since the filling, in the transaction of the swap."""
    while True:
        try:
            step = advance(connection, subscription, subscription.batch)
        except (CannotProject, CheckpointNotInLog, BatchFailed) as error:
            raise RebuildFailed(subscription.name, str(error)) from error
        assert step is not None
        if step.is_last:
            return step.checkpoint


def drop_old(connection: psycopg.Connection, projection: Projection, live: int) -> None:
    """Drop all but the generation that was live before, unless it is in use."""
    for number in existing_generations(connection, projection.name):
        if number < live - 1:
            with suppress(*KEPT), connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                drop_generation(connection, projection.name, number)

"""
Which read models are followed: a table of changes is kept for these alone.

It is an operator's decision, or that of a store which takes rows from the changes. It
holds for all generations: a rebuild makes the changes of the new one.
"""

from uuid import uuid4

import psycopg

from eventstore.errors import ReadModelOutdated, RebuildRunning
from eventstore.projections.change_tracking import drop_changes, track_changes
from eventstore.projections.generations import (
    existing_generations,
    live_generations,
    lock_generations,
    shape_of,
)
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of, tables_of

LOCK_TIMEOUT_MS = 2_000
"""Waiting for the table's lock blocks every later reader: not for longer."""


def find_followed(connection: psycopg.Connection) -> frozenset[str]:
    """Return the names of the read models whose changes are kept."""
    rows = connection.execute("SELECT read_model FROM public.followed_read_models")
    return frozenset(name for (name,) in rows)


def follow(connection: psycopg.Connection, projection: Projection) -> bool:
    """
    Keep the changes of a read model from now on; return False if they are kept already.

    Its present rows are the first change. It is the caller's transaction, as a member
    of the owner of the tables; meanwhile the rows are read, and not caught up. A read
    model without rows gets its changes with them.

    Raises RebuildRunning, and ReadModelOutdated if the rows were made from another
    definition.
    """
    if not lock_generations(connection, projection.name):
        raise RebuildRunning(projection.name)
    made = connection.execute(
        """
        INSERT INTO public.followed_read_models (read_model, epoch) VALUES (%s, %s)
        ON CONFLICT DO NOTHING
        """,
        (projection.name, str(uuid4())),
    )
    if not made.rowcount:
        return False
    live = live_generations(connection).get(projection.name)
    if live is not None and live.number in existing_generations(
        connection, projection.name
    ):
        if live.shape != shape_of(projection):
            raise ReadModelOutdated(projection.name)
        track_changes(connection, tables_of(projection, live.number).rows)
    return True


def unfollow(connection: psycopg.Connection, read_model: str) -> bool:
    """
    Drop the changes of a read model, and keep none; return False if it is not followed.

    *read_model* is its name. It is the caller's transaction, as a member of the owner
    of the tables. Raises RebuildRunning, and psycopg's LockNotAvailable if somebody
    reads its rows for long.
    """
    if not lock_generations(connection, read_model):
        raise RebuildRunning(read_model)
    found = connection.execute(
        "DELETE FROM public.followed_read_models WHERE read_model = %s", (read_model,)
    )
    if not found.rowcount:
        return False
    names = [
        name_of(read_model, number)
        for number in sorted(existing_generations(connection, read_model))
    ]
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
    # As a pass does: the checkpoint first, then the rows.
    connection.execute(
        "SELECT FROM public.subscriptions WHERE name = ANY (%s)"
        " ORDER BY name FOR UPDATE",
        (names,),
    )
    for name in names:
        drop_changes(connection, name)
    return True

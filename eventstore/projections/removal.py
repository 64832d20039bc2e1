"""
Remove a read model: its rows, which a rebuild can fill again, or all of it.

The name that pages read is a view over the live generation's table; the view goes with
the tables.
"""

import psycopg

from eventstore.errors import RebuildRunning, UnknownReadModel
from eventstore.projections.generations import (
    drop_generation,
    drop_view,
    existing_generations,
    lock_generations,
)


def drop_rows(connection: psycopg.Connection, read_model: str) -> int:
    """
    Drop the tables of a read model in all generations, and its view.

    It is the caller's transaction, as the owner of the tables. The number of the live
    generation is kept, so that no process creates an empty one: a rebuild makes the
    next. Returns the number of dropped generations. Raises UnknownReadModel and
    RebuildRunning.
    """
    refuse_unknown(connection, read_model)
    if not lock_generations(connection, read_model):
        raise RebuildRunning(read_model)
    drop_view(connection, read_model)
    numbers = existing_generations(connection, read_model)
    for number in numbers:
        drop_generation(connection, read_model, number)
    return len(numbers)


def remove_read_model(connection: psycopg.Connection, read_model: str) -> int:
    """
    Drop a read model's rows, and forget that there was one.

    As `drop_rows`; a process whose code has the read model makes it again, empty, and
    fills it by reading the log.
    """
    count = drop_rows(connection, read_model)
    for table in ("generations", "followed_read_models"):
        connection.execute(
            f"DELETE FROM public.{table} WHERE read_model = %s", (read_model,)
        )
    return count


def refuse_unknown(connection: psycopg.Connection, read_model: str) -> None:
    found = connection.execute(
        """
        SELECT FROM public.generations WHERE read_model = %(name)s
        UNION ALL
        SELECT FROM public.subscriptions
        WHERE regexp_replace(name, '_g[0-9]+$', '') = %(name)s AND name <> %(name)s
        """,
        {"name": read_model},
    ).rowcount
    if not found:
        raise UnknownReadModel(read_model)

"""Drop fillings that nobody goes on with, and that must not stay."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg

from eventstore.projections.generations import drop_generation, lock_generations
from eventstore.projections.tables import name_of
from eventstore.rebuilding.fillings import Filling, find_fillings

MAX_AGE = timedelta(days=7)


def drop_leftovers(
    connection: psycopg.Connection[Any], forgets: Sequence[type]
) -> list[Filling]:
    """
    Drop what a rebuild left unfinished: rows of a forgotten person, and old ones.

    It is for a filling that was behind an event of the classes *forgets* when its
    process was killed: the rows that it has are from before that. One that was begun
    more than a week ago only takes room. Returns what was dropped; *connection* is in
    autocommit.
    """
    dropped = []
    for filling in find_fillings(connection):
        if filling.is_tended:
            continue
        name = name_of(filling.read_model, filling.generation)
        with connection.transaction():
            if lock_generations(connection, filling.read_model) and must_go(
                connection, name, forgets
            ):
                drop_generation(connection, filling.read_model, filling.generation)
                dropped.append(filling)
    return dropped


def must_go(
    connection: psycopg.Connection[Any], generation: str, forgets: Sequence[type]
) -> bool:
    """Return whether somebody was forgotten behind its checkpoint, or it is old."""
    row = connection.execute(
        """
        SELECT
            begun_at < clock_timestamp() - %s OR EXISTS (
                SELECT FROM public.events
                WHERE type = ANY (%s) AND id > (
                    SELECT min(s.checkpoint) FROM public.subscriptions AS s
                    WHERE (f.parts = 1 AND s.name = f.generation)
                        OR (f.parts > 1 AND s.name ~ ('^' || f.generation || '_p\\d+$'))
                )
            )
        FROM public.fillings AS f WHERE generation = %s
        """,
        (MAX_AGE, [kind.__name__ for kind in forgets], generation),
    ).fetchone()
    return row is not None and bool(row[0])

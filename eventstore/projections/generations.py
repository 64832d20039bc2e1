"""Generations: the fillings of a read model, of which one is behind its plain name."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
from psycopg import sql

from eventstore import type_shape
from eventstore.connection import driver_connection
from eventstore.projections.change_tracking import (
    drop_changes,
    ensure_changes,
    rename_changes,
)
from eventstore.projections.comments import comment_on_view
from eventstore.projections.fold_version import fold_version
from eventstore.projections.ownership import hand_over, schema_owner
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA
from eventstore.projections.tables import Tables, name_of, tables_of

# Keys of two integers are a space of their own, beside those that `lock_key` computes.
REBUILDING = "hashtext('recount rebuild'), hashtext(%s)"
OF_PARTS = "_p[0-9]+$"
"""What follows the name of a generation in those of its parts' checkpoints."""
SEVERAL = "several"
"""The version of the folds of rows that were made by more than one program."""


class LiveGeneration(NamedTuple):
    """The generation behind a plain name, and the definition it was made from."""

    number: int
    shape: str | None


def ensure_generation(engine: sa.Engine, projection: Projection) -> None:
    """
    Make the first generation of a read model that has none: tables, view, checkpoint.

    Its checkpoint starts at 0: a projection computes, so it begins at the beginning.
    Where a rebuild is filling one, it is left to that.
    """
    with engine.begin() as transaction:
        make_first_generation(driver_connection(transaction), projection)


def make_first_generation(
    connection: psycopg.Connection, projection: Projection
) -> None:
    """Do what `ensure_generation` does, in a transaction of the caller's."""
    if projection.name in live_generations(connection):
        return
    is_ours = lock_generations(connection, projection.name)
    # Of processes that start at once, one makes it and the others look again.
    connection.execute("LOCK TABLE public.generations IN SHARE ROW EXCLUSIVE MODE")
    if not is_ours or projection.name in live_generations(connection):
        return
    number = max(existing_generations(connection, projection.name), default=0) + 1
    tables = make_tables(connection, projection, number)
    tables.rows.create_indexes(connection)
    put_live(connection, projection, number)


def lock_generations(connection: psycopg.Connection, read_model: str) -> bool:
    """Lock out rebuilds until the transaction ends; return False if one is running."""
    row = connection.execute(
        f"SELECT pg_try_advisory_xact_lock({REBUILDING})", (read_model,)
    ).fetchone()
    return row == (True,)


def live_generations(connection: psycopg.Connection) -> dict[str, LiveGeneration]:
    """Return which generation of each read model is behind its plain name."""
    rows = connection.execute(
        """
        SELECT
            g.read_model, g.live,
            -- Without its checkpoint nobody knows what the rows are made of.
            CASE WHEN s.name IS NOT NULL THEN g.shape END
        FROM public.generations AS g
        LEFT JOIN public.subscriptions AS s ON s.name = g.read_model || '_g' || g.live
        """
    )
    return {name: LiveGeneration(number, shape) for name, number, shape in rows}


@cache
def shape_of(projection: Projection) -> str:
    """
    Return a hash of the definition of *projection*.

    If the code has another one than a generation, the generation's tables do not fit.
    """
    tables = [(projection.name, projection.key, type_shape.shape_of(projection.row))]
    tables += [(x.name, x.key, type_shape.shape_of(x.row)) for x in projection.lookups]
    indexes = [
        # Without a condition as before there was one: nobody is to rebuild for that.
        (one.name, one.on, one.using, *([one.where] if one.where else []))
        for one in projection.indexes
    ]
    parts = [projection.version, sorted(projection.types), tables, indexes]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def make_tables(
    connection: psycopg.Connection, projection: Projection, number: int, parts: int = 1
) -> Tables:
    """
    Make a generation's tables, without indexes, and its checkpoint at 0.

    *parts* is the number of processes that will fill it.
    """
    tables = tables_of(projection, number)
    # Our roles may not create it, not even with IF NOT EXISTS.
    if schema_owner(connection) is None:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
    tables.create(connection)
    hand_over(connection, "TABLE", *(t.name for t in tables.all))
    connection.execute(
        "INSERT INTO public.subscriptions (name) VALUES (%s)", (tables.name,)
    )
    # Of one with this number that somebody dropped by hand.
    for table, column in (
        ("parked_streams", "subscription"),
        ("fillings", "generation"),
    ):
        connection.execute(
            f"DELETE FROM public.{table} WHERE {column} = %s", (tables.name,)
        )
    connection.execute(
        """
        INSERT INTO public.fillings (generation, read_model, shape, fold_version, parts)
        VALUES (%s, %s, %s, %s, %s)
        """,
        (
            tables.name,
            projection.name,
            shape_of(projection),
            fold_version(projection),
            parts,
        ),
    )
    return tables


def note_code_of_rows(
    connection: psycopg.Connection, projections: Sequence[Projection]
) -> None:
    """
    Note of the live rows that other code has made that this code makes them, too.

    A program that reads events calls it when it begins. From then on their version is
    `SEVERAL`, which no code has: also when that other code comes back.
    """
    versions = {one.name: fold_version(one) for one in projections}
    connection.execute(
        """
        UPDATE public.fillings AS f SET fold_version = %(several)s
        FROM public.generations AS g, unnest(%(names)s::text[], %(versions)s::text[])
            AS own (name, version)
        WHERE g.read_model = own.name AND f.generation = g.read_model || '_g' || g.live
            AND f.fold_version NOT IN (own.version, %(several)s)
        """,
        {
            "several": SEVERAL,
            "names": list(versions),
            "versions": list(versions.values()),
        },
    )


def drop_generation(
    connection: psycopg.Connection, read_model: str, number: int
) -> None:
    """Drop a generation, and its look-ups, even if the code does not have them now."""
    name = name_of(read_model, number)
    drop_changes(connection, name)
    for (table,) in connection.execute(
        """
        SELECT tablename FROM pg_catalog.pg_tables
        WHERE schemaname = %s AND (tablename = %s OR starts_with(tablename, %s))
        """,
        (SCHEMA, name, f"{name}_"),
    ).fetchall():
        connection.execute(
            sql.SQL("DROP TABLE {}").format(sql.Identifier(SCHEMA, table))
        )
    for table, column in (
        ("subscriptions", "name"),
        ("parked_streams", "subscription"),
        ("fillings", "generation"),
    ):
        connection.execute(
            f"DELETE FROM public.{table} WHERE {column} ~ %s",
            (f"^{name}({OF_PARTS}|$)",),
        )


def existing_generations(connection: psycopg.Connection, read_model: str) -> set[int]:
    """Return the numbers of all generations that left a table or a checkpoint."""
    rows = connection.execute(
        r"""
        SELECT (regexp_match(substr(name, length(%(prefix)s) + 1), '^\d+'))[1]::integer
        FROM (
            SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %(schema)s
            UNION SELECT name FROM public.subscriptions
        ) AS named (name)
        WHERE starts_with(name, %(prefix)s)
            AND substr(name, length(%(prefix)s) + 1) ~ '^\d+(_|$)'
        """,
        {"prefix": f"{read_model}_g", "schema": SCHEMA},
    )
    return {number for (number,) in rows}


def put_live(
    connection: psycopg.Connection, projection: Projection, number: int
) -> None:
    """Put a generation behind the plain name, in the caller's transaction."""
    tables = tables_of(projection, number)
    ensure_changes(connection, projection.name, tables.rows)
    # Not CREATE OR REPLACE, which keeps the columns that are there.
    drop_view(connection, projection.name)
    connection.execute(
        sql.SQL("CREATE VIEW {} AS SELECT {} FROM {}").format(
            sql.Identifier(SCHEMA, projection.name),
            sql.SQL(", ").join(map(sql.Identifier, tables.rows.columns)),
            tables.rows.identifier,
        )
    )
    comment_on_view(connection, projection)
    hand_over(connection, "VIEW", projection.name)
    connection.execute(
        """
        INSERT INTO public.generations (read_model, live, shape) VALUES (%s, %s, %s)
        ON CONFLICT (read_model)
        DO UPDATE SET live = EXCLUDED.live, shape = EXCLUDED.shape
        """,
        (projection.name, number, shape_of(projection)),
    )
    connection.execute(
        "UPDATE public.fillings SET phase = 'filled', seconds_left = 0"
        " WHERE generation = %s",
        (tables.name,),
    )


def drop_view(connection: psycopg.Connection, read_model: str) -> None:
    view = sql.Identifier(SCHEMA, read_model)
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))


def renumber(
    connection: psycopg.Connection, projection: Projection, number: int, new: int
) -> None:
    """
    Give a generation the number *new*, which no generation ever had.

    It is the caller's transaction. Its rows, look-ups and changes are of the
    projection's definition, and all copies of them in stores are those of another.
    """
    former, name = name_of(projection.name, number), name_of(projection.name, new)
    for relation, kind in connection.execute(
        """
        SELECT c.relname, c.relkind = 'i' FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'i')
            AND (c.relname = %s OR starts_with(c.relname, %s))
        """,
        (SCHEMA, former, f"{former}_"),
    ).fetchall():
        connection.execute(
            sql.SQL("ALTER {} {} RENAME TO {}").format(
                sql.SQL("INDEX" if kind else "TABLE"),
                sql.Identifier(SCHEMA, relation),
                sql.Identifier(name + relation.removeprefix(former)),
            )
        )
    rename_changes(connection, former, tables_of(projection, new).rows)
    for table, column in (
        ("subscriptions", "name"),
        ("parked_streams", "subscription"),
        ("fillings", "generation"),
    ):
        connection.execute(
            f"UPDATE public.{table} SET {column} = %s WHERE {column} = %s",
            (name, former),
        )

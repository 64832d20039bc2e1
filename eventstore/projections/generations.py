"""Generations: the fillings of a read model, of which one is behind its plain name."""

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from eventstore.connection import driver_connection
from eventstore.projections.project import Tables
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA


def ensure_generation(engine: sa.Engine, projection: Projection) -> None:
    """
    Make the first generation of a read model that has none: tables, view, checkpoint.

    Its checkpoint starts at 0: a projection computes, so it begins at the beginning.
    """
    with engine.begin() as transaction:
        connection = driver_connection(transaction)
        if projection.name in live_generations(connection):
            return
        # Of processes that start at once, one makes it and the others look again.
        connection.execute("LOCK TABLE public.generations IN SHARE ROW EXCLUSIVE MODE")
        if projection.name in live_generations(connection):
            return
        tables = Tables(projection, 1)
        connection.execute(
            sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(SCHEMA))
        )
        tables.create(connection)
        connection.execute(view_of(projection, tables))
        connection.execute(
            "INSERT INTO public.subscriptions (name) VALUES (%s)", (tables.name,)
        )
        connection.execute(
            "INSERT INTO public.generations (read_model, live) VALUES (%s, 1)",
            (projection.name,),
        )


def live_generations(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """Return which generation of each read model is behind its plain name."""
    return dict(
        connection.execute("SELECT read_model, live FROM public.generations").fetchall()
    )


def view_of(projection: Projection, tables: Tables) -> sql.Composed:
    """Return the statement that puts a generation behind the plain name."""
    return sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT {} FROM {}").format(
        sql.Identifier(SCHEMA, projection.name),
        sql.SQL(", ").join(map(sql.Identifier, tables.rows.columns)),
        sql.Identifier(SCHEMA, tables.rows.name),
    )

"""What a filled generation gets before it is put live: statistics, indexes, changes."""

from typing import Any

import psycopg
from psycopg import sql

from eventstore.projections.change_tracking import ensure_changes
from eventstore.projections.projection import Projection
from eventstore.projections.tables import tables_of


def index(
    connection: psycopg.Connection[Any], projection: Projection, number: int
) -> None:
    """Create the indexes left out for the filling, and the table of changes."""
    tables = tables_of(projection, number)
    tables.rows.create_indexes(connection, are_early=False)
    # Its changes begin here: nobody follows it before it is live.
    with connection.transaction():
        ensure_changes(connection, projection.name, tables.rows)


def analyze(
    connection: psycopg.Connection[Any], projection: Projection, number: int
) -> None:
    """Have the planner know what the tables of a generation hold."""
    for table in tables_of(projection, number).all:
        connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))

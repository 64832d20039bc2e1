"""Reading page by page: by the index, whatever the planner's figures say."""

from collections.abc import Mapping
from typing import Any

import psycopg


def read_page(
    connection: psycopg.Connection[Any],
    query: str,
    values: Mapping[str, object],
) -> list[tuple[Any, ...]]:
    """
    Return the rows of one page.

    After a restore there are no figures, and a planner that reads and sorts the whole
    table for each page takes hours for a log of years. Names mean what they mean to the
    engine, whatever search path somebody gave to the database.
    """
    with connection.transaction():
        connection.execute(
            """
            SET LOCAL search_path = pg_catalog, public, pg_temp;
            SET LOCAL enable_seqscan = off;
            SET LOCAL enable_bitmapscan = off;
            SET LOCAL jit = off
            """
        )
        return connection.execute(query, values).fetchall()

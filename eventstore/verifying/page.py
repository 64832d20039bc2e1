"""Reading page by page: by the index, whatever the planner's figures say."""

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg


def read_page(
    connection: psycopg.Connection[Any],
    query: LiteralString,
    values: Mapping[str, object],
) -> list[tuple[Any, ...]]:
    """
    Return the rows of one page.

    After a restore there are no figures, and a planner that reads and sorts the whole
    table for each page takes hours for a log of years.
    """
    with connection.transaction():
        connection.execute(
            """
            SET LOCAL enable_seqscan = off;
            SET LOCAL enable_bitmapscan = off;
            SET LOCAL jit = off
            """
        )
        return connection.execute(query, values).fetchall()

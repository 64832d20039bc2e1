"""Tables of read models with rows that no event has made."""

from collections.abc import Sequence
from typing import Any

import psycopg

from eventstore.projections.projection import Projection
from eventstore.projections.table import Table
from eventstore.steps import send_all
from tasks.shop.wiring import Shop


def fill_table(shop: Shop, projection: Projection, rows: Sequence[Any]) -> None:
    """Write *rows* into the table of the first generation."""
    with shop.lent() as connection:
        store_rows(connection, projection, rows)


def store_rows(
    connection: psycopg.Connection[Any], projection: Projection, rows: Sequence[Any]
) -> None:
    table = Table(f"{projection.name}_g1", projection.row, projection.key)
    # As the owner can, past the trigger.
    connection.execute("SET session_replication_role = replica")
    kept = {getattr(row, table.key): row for row in rows}
    send_all(connection, table.store(kept))
    connection.execute("SET session_replication_role = origin")

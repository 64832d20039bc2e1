"""The tables that the rows of a read model and of its look-ups lie in."""

from collections.abc import Sequence
from functools import cache

import psycopg

from eventstore.projections.projection import Projection
from eventstore.projections.table import Table


class Tables:
    """The rows, in the table called *name*, and a table for each look-up."""

    def __init__(self, projection: Projection, name: str) -> None:
        self.name = name
        self.rows = Table(self.name, projection.row, projection.key, projection.indexes)
        self.lookups = {
            lookup.name: Table(f"{self.name}_{lookup.name}", lookup.row, lookup.key)
            for lookup in projection.lookups
        }

    @property
    def all(self) -> Sequence[Table]:
        return [self.rows, *self.lookups.values()]

    def create(self, connection: psycopg.Connection, *, is_logged: bool = True) -> None:
        """Make the tables, as `Table.create` does."""
        for table in self.all:
            table.create(connection, is_logged=is_logged)


@cache
def tables_of(projection: Projection, generation: int) -> Tables:
    """Return the tables of a generation; their statements are put together once."""
    return Tables(projection, name_of(projection.name, generation))


def name_of(read_model: str, generation: int) -> str:
    """Return the name of a generation: of its table, and of its subscription."""
    return f"{read_model}_g{generation}"

"""The tables of one generation of a read model."""

from collections.abc import Sequence
from functools import cache

import psycopg

from eventstore.projections.projection import Projection
from eventstore.projections.table import Table


class Tables:
    """The tables of one generation: the rows, and a table for each look-up."""

    def __init__(self, projection: Projection, generation: int) -> None:
        self.name = name_of(projection.name, generation)
        self.rows = Table(self.name, projection.row, projection.key, projection.indexes)
        self.lookups = {
            lookup.name: Table(f"{self.name}_{lookup.name}", lookup.row, lookup.key)
            for lookup in projection.lookups
        }

    @property
    def all(self) -> Sequence[Table]:
        return [self.rows, *self.lookups.values()]

    def create(self, connection: psycopg.Connection) -> None:
        for table in self.all:
            table.create(connection)


@cache
def tables_of(projection: Projection, generation: int) -> Tables:
    """Return the tables of a generation; their statements are put together once."""
    return Tables(projection, generation)


def name_of(read_model: str, generation: int) -> str:
    """Return the name of a generation: of its table, and of its subscription."""
    return f"{read_model}_g{generation}"

"""Projections that fail on chosen events, and the tables of two generations."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from eventstore.projections.projection import Fact, Lookup, Projection
from eventstore.projections.tables import tables_of


def failing(projection: Projection, positions: Iterable[int]) -> Projection:
    """
    Return *projection*, which raises wherever it is called for an event at *positions*.

    Each event raises an error of a class of its own, so that none is bad code.
    """
    bad = {position: type(f"Bad{position}", (Exception,), {}) for position in positions}

    def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            for fact in arguments:
                if isinstance(fact, Fact) and fact.position in bad:
                    raise bad[fact.position]()
            return function(*arguments)

        return call

    return replace(
        projection,
        fold=guarded(projection.fold),
        update=guarded(projection.update),
        lookups=[failing_lookup(lookup, guarded) for lookup in projection.lookups],
    )


def failing_lookup(lookup: Lookup, guarded: Callable[..., Any]) -> Lookup:
    return replace(lookup, fold=guarded(lookup.fold))


def contents(
    connection: psycopg.Connection[Any], projection: Projection, generation: int
) -> dict[str, list[Any]]:
    """Return the rows of all tables of a generation, as text, by the table's part."""
    tables = tables_of(projection, generation)
    found = {}
    for table in tables.all:
        rows = connection.execute(
            sql.SQL("SELECT t::text FROM {} AS t ORDER BY {}").format(
                table.identifier, sql.Identifier(table.key)
            )
        )
        part = table.name.removeprefix(tables.name)
        found[part] = [row for (row,) in rows]
    return found

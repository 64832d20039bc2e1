"""Applying a projection in sets: load what a batch touches, fold, write it back."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import psycopg

from eventstore.errors import CannotProject
from eventstore.log.events import RecordedEvent
from eventstore.projections.projection import Fact, Projection
from eventstore.projections.table import Table
from eventstore.subscriptions.subscription import Subscription

T = TypeVar("T")


class Tables:
    """The tables of one generation: the rows, and a table for each look-up."""

    def __init__(self, projection: Projection, generation: int) -> None:
        self.name = f"{projection.name}_g{generation}"
        self.rows = Table(self.name, projection.row, projection.key, projection.indexes)
        self.lookups = {
            lookup.name: Table(f"{self.name}_{lookup.name}", lookup.row, lookup.key)
            for lookup in projection.lookups
        }

    def create(self, connection: psycopg.Connection[Any]) -> None:
        for table in (self.rows, *self.lookups.values()):
            table.create(connection)


def subscription_of(projection: Projection, generation: int) -> Subscription:
    """Return the subscription that keeps one generation of a read model up to date."""
    tables = Tables(projection, generation)
    return Subscription(
        name=tables.name,
        types=projection.types,
        handler=partial(project, projection, tables),
    )


def project(
    projection: Projection,
    tables: Tables,
    connection: psycopg.Connection[Any],
    events: Sequence[RecordedEvent],
) -> None:
    """
    Fold *events* into the rows: one SELECT and one statement back for each table.

    An event with an update of many rows ends a stretch: what was folded before it is
    written, then the update, and what comes after it reads the rows anew.

    Raises CannotProject at the event that the fold or a class of it refuses.
    """
    stretch: list[Fact] = []
    for fact in (fact_of(projection, event) for event in events):
        stretch.append(fact)
        update = checked(fact, projection.update)
        if update is not None:
            fold_into(tables, projection, connection, stretch)
            tables.rows.update(connection, update)
            stretch = []
    if stretch:
        fold_into(tables, projection, connection, stretch)


def fold_into(
    tables: Tables,
    projection: Projection,
    connection: psycopg.Connection[Any],
    facts: Sequence[Fact],
) -> None:
    row_keys, lookup_keys = touched(projection, facts)
    # All is asked for before any answer is waited for: one round trip in a pipeline.
    rows_asked = tables.rows.send_load(connection, row_keys)
    asked = {
        name: table.send_load(connection, lookup_keys[name])
        for name, table in tables.lookups.items()
    }
    rows = tables.rows.loaded(rows_asked)
    looked_up = {
        name: table.loaded(asked[name]) for name, table in tables.lookups.items()
    }
    changed_rows: dict[Any, Any] = {}
    changed: dict[str, dict[Any, Any]] = {name: {} for name in tables.lookups}
    for fact in facts:
        try:
            for lookup in projection.lookups:
                key = lookup.key_of(fact)
                if key is not None:
                    known = looked_up[lookup.name]
                    known[key] = lookup.fold(known.get(key), fact)
                    changed[lookup.name][key] = known[key]
            key = projection.key_of(fact)
            if key is not None:
                rows[key] = projection.fold(rows.get(key), fact, looked_up)
                changed_rows[key] = rows[key]
        except Exception as error:
            raise CannotProject(fact.position, error) from error
    for name, table in tables.lookups.items():
        table.store(connection, changed[name])
    tables.rows.store(connection, changed_rows)


def checked(fact: Fact, ask: Callable[[Fact], T]) -> T:
    """Return what a projection answers for *fact*; raise CannotProject if it cannot."""
    try:
        return ask(fact)
    except Exception as error:
        raise CannotProject(fact.position, error) from error


def fact_of(projection: Projection, event: RecordedEvent) -> Fact:
    try:
        body = projection.events.decode(event.type, event.data)
    except Exception as error:
        raise CannotProject(event.position, error) from error
    return Fact(body, event.stream_id, event.position, event.version, event.occurred_at)


def touched(
    projection: Projection, facts: Sequence[Fact]
) -> tuple[set[Any], dict[str, set[Any]]]:
    """Return the keys of the rows, and of each look-up, that these facts touch."""
    rows: set[Any] = set()
    lookups: dict[str, set[Any]] = {lookup.name: set() for lookup in projection.lookups}
    for fact in facts:
        rows.add(checked(fact, projection.key_of))
        for lookup in projection.lookups:
            lookups[lookup.name].add(checked(fact, lookup.key_of))
        for name, key in checked(fact, projection.needs).items():
            lookups[name].add(key)
    for keys in (rows, *lookups.values()):
        keys.discard(None)
    return rows, lookups

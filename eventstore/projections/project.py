"""Applying a projection in sets: load what a batch touches, fold, write it back."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from typing import NamedTuple, TypeVar

import psycopg

from eventstore.errors import CannotProject
from eventstore.log.events import RecordedEvent
from eventstore.projections.projection import Fact, Key, LookedUp, Projection, Row
from eventstore.projections.table import Table
from eventstore.subscriptions.subscription import Subscription

T = TypeVar("T")


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


class FoldStep(NamedTuple):
    """A fact, the key of the row that it changes, and the looked-up values."""

    fact: Fact
    key: Key
    looked_up: LookedUp


def name_of(read_model: str, generation: int) -> str:
    """Return the name of a generation: of its table, and of its subscription."""
    return f"{read_model}_g{generation}"


@cache
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
    connection: psycopg.Connection,
    events: Sequence[RecordedEvent],
) -> None:
    """
    Fold *events* into the rows: one SELECT and one statement back for each table.

    An event with an update of many rows ends a stretch: what was folded before it is
    written, then the update, and what comes after it reads the rows again.

    Raises CannotProject at the event that the fold or a class of it refuses.
    """
    stretch: list[Fact] = []
    for fact in (f for event in events for f in facts_of(projection, event)):
        stretch.append(fact)
        update = check_answer(fact, projection.update)
        if update is not None:
            fold_into(projection, tables, connection, stretch)
            tables.rows.update(connection, update)
            stretch = []
    if stretch:
        fold_into(projection, tables, connection, stretch)


def fold_into(
    projection: Projection,
    tables: Tables,
    connection: psycopg.Connection,
    facts: Sequence[Fact],
) -> None:
    """Fold a stretch: the look-ups first, since the rows' keys may depend on them."""
    aimed = aim(projection, tables, connection, facts)
    if not aimed:
        return
    asked = tables.rows.send_load(connection, {key for _, key, _ in aimed})
    rows = tables.rows.loaded(asked)
    changed = {}
    for fact, key, looked_up in aimed:
        try:
            row = projection.fold(rows.get(key), fact, looked_up)
        except Exception as error:
            raise CannotProject(fact.position, error) from error
        rows[key] = changed[key] = row
    tables.rows.store(connection, changed)


def aim(
    projection: Projection,
    tables: Tables,
    connection: psycopg.Connection,
    facts: Sequence[Fact],
) -> list[FoldStep]:
    """
    Fold the look-ups, and return the key and looked-up values of each fact.

    What a fact looks up is as it was at that fact, whatever comes after it.
    """
    known = load_lookups(projection, tables, connection, facts)
    changed: dict[str, dict[Key, Row]] = {name: {} for name in tables.lookups}
    aimed = []
    for fact in facts:
        try:
            for lookup in projection.lookups:
                changing = lookup.key_of(fact)
                if changing is not None:
                    rows = known[lookup.name]
                    rows[changing] = lookup.fold(rows.get(changing), fact)
                    changed[lookup.name][changing] = rows[changing]
            for part in projection.parts(fact):
                needed = projection.needs(part)
                looked_up = {name: known[name].get(needed[name]) for name in needed}
                key = projection.key_of(part, looked_up)
                if key is not None:
                    aimed.append(FoldStep(part, key, looked_up))
        except Exception as error:
            raise CannotProject(fact.position, error) from error
    for name, table in tables.lookups.items():
        table.store(connection, changed[name])
    return aimed


def load_lookups(
    projection: Projection,
    tables: Tables,
    connection: psycopg.Connection,
    facts: Iterable[Fact],
) -> dict[str, dict[Key, Row]]:
    """Return the look-ups' rows that these facts change or need, by look-up and key."""
    keys: dict[str, set[Key | None]] = {
        lookup.name: set() for lookup in projection.lookups
    }
    if not keys:
        return {}
    for fact in facts:
        for lookup in projection.lookups:
            keys[lookup.name].add(check_answer(fact, lookup.key_of))
        for part in check_answer(fact, projection.parts):
            for name, key in check_answer(part, projection.needs).items():
                keys[name].add(key)
    # All is asked for before any answer is waited for: one round trip in a pipeline.
    asked = {
        name: table.send_load(
            connection, [key for key in keys[name] if key is not None]
        )
        for name, table in tables.lookups.items()
    }
    return {name: tables.lookups[name].loaded(cursor) for name, cursor in asked.items()}


def check_answer(fact: Fact, ask: Callable[[Fact], T]) -> T:
    """Return what a projection answers for *fact*; raise CannotProject if it cannot."""
    try:
        return ask(fact)
    except Exception as error:
        raise CannotProject(fact.position, error) from error


def facts_of(projection: Projection, event: RecordedEvent) -> list[Fact]:
    """Return what an event says to the projection: nothing, where it reads no such."""
    try:
        bodies = projection.codec.read(event)
    except Exception as error:
        raise CannotProject(event.position, error) from error
    return [
        Fact(
            body,
            event.stream_id,
            event.position,
            event.version,
            event.occurred_at,
            event.metadata,
        )
        for body in bodies
    ]

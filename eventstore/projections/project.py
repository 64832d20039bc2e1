"""Apply a projection to a batch: load the rows, fold the events, store the rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import NamedTuple, TypeVar

import psycopg

from eventstore.errors import CannotProject
from eventstore.log.codec import DecodedEvents
from eventstore.log.events import RecordedEvent
from eventstore.projections.projection import (
    Fact,
    Key,
    LookedUp,
    Projection,
    Row,
    Update,
)
from eventstore.projections.table import Table
from eventstore.steps import (
    Answer,
    Statement,
    Steps,
    Work,
    send_all,
    take_steps,
)
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
        work=partial(fold_events, projection, tables),
        opens=projection.codec.opens,
    )


def project(
    projection: Projection,
    tables: Tables,
    connection: psycopg.Connection,
    events: Sequence[RecordedEvent],
) -> None:
    """
    Fold *events* into the rows: one SELECT and one statement back for each table.

    Raises CannotProject at the event that the fold or a class of it refuses.
    """
    [writes] = take_steps(connection, [fold_events(projection, tables, events, {})])
    send_all(connection, writes)


def fold_events(
    projection: Projection,
    tables: Tables,
    events: Sequence[RecordedEvent],
    decoded: DecodedEvents,
) -> Work:
    """
    Fold *events* in steps: ask for look-ups, then for rows; return what is written.

    An update of many rows changes the loaded ones here, in its turn between the folds,
    and is written as a statement for the others: updates in their order, then the rows
    that were loaded, which are newer than what the updates have made of them.
    """
    facts = [f for event in events for f in facts_of(projection, event, decoded)]
    known = yield from load_lookups(projection, tables, facts)
    changes = aim(projection, tables, known, facts)
    keys = {change.key for change in changes if isinstance(change, FoldStep)}
    rows = RowsInMemory(tables.rows)
    if keys:
        [asked] = yield [tables.rows.load(keys)]
        rows.by_key = tables.rows.loaded(asked)
    for change in changes:
        if isinstance(change, FoldStep):
            rows.fold(projection, change)
        else:
            rows.update(change)
    lookups = [
        statement
        for name, table in tables.lookups.items()
        for statement in table.store(known[name].changed)
    ]
    return [*lookups, *rows.written()]


class LookupRows:
    """The rows of a look-up, by key, and those of them that were changed."""

    def __init__(self, rows: dict[Key, Row]) -> None:
        self.rows = rows
        self.changed: dict[Key, Row] = {}


class RowsInMemory:
    """The rows that are folded, and the updates that others in the table want."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.by_key: dict[Key, Row | None] = {}
        self.updates: list[Update] = []

    def fold(self, projection: Projection, step: FoldStep) -> None:
        old = self.by_key.get(step.key)
        try:
            new = projection.fold(old, step.fact, step.looked_up)
        except Exception as error:
            raise CannotProject(step.fact.position, error) from error
        self.by_key[step.key] = new

    def update(self, update: Update) -> None:
        self.updates.append(update)
        where, to = update.where.items(), dict(update.to)
        for key, row in self.by_key.items():
            if row is not None and all(getattr(row, n) == v for n, v in where):
                self.by_key[key] = replace(row, **to)

    def written(self) -> list[Statement]:
        updates = [self.table.update(update) for update in self.updates]
        return [*updates, *self.table.store(self.by_key)]


def aim(
    projection: Projection,
    tables: Tables,
    known: Mapping[str, LookupRows],
    facts: Sequence[Fact],
) -> list[FoldStep | Update]:
    """
    Fold the look-ups; return in order what each fact changes, with its looked-up rows.

    These are as of that fact, whatever comes after it. A fact's own fold comes before
    its update of many rows.
    """
    changes: list[FoldStep | Update] = []
    for fact in facts:
        try:
            for lookup in projection.lookups:
                changing = lookup.key_of(fact)
                if changing is not None:
                    held = known[lookup.name]
                    row = lookup.fold(held.rows.get(changing), fact)
                    held.rows[changing] = held.changed[changing] = row
            for part in projection.parts(fact):
                needed = projection.needs(part)
                looked_up = {n: known[n].rows.get(needed[n]) for n in needed}
                key = projection.key_of(part, looked_up)
                if key is not None:
                    changes.append(FoldStep(part, key, looked_up))
            update = projection.update(fact)
            if update is not None:
                tables.rows.check_update(update)
                changes.append(update)
        except Exception as error:
            raise CannotProject(fact.position, error) from error
    return changes


def load_lookups(
    projection: Projection, tables: Tables, facts: Iterable[Fact]
) -> Steps[dict[str, LookupRows]]:
    """Return the look-ups' rows that these facts change or need, by look-up."""
    keys: dict[str, set[Key | None]] = {
        lookup.name: set() for lookup in projection.lookups
    }
    if keys:
        for fact in facts:
            for lookup in projection.lookups:
                keys[lookup.name].add(check_answer(fact, lookup.key_of))
            for part in check_answer(fact, projection.parts):
                for name, key in check_answer(part, projection.needs).items():
                    keys[name].add(key)
    wanted = {
        name: found
        for name, some in keys.items()
        if (found := {key for key in some if key is not None})
    }
    answers: Sequence[Answer] = ()
    if wanted:
        answers = yield [
            tables.lookups[name].load(keys) for name, keys in wanted.items()
        ]
    loaded = dict(zip(wanted, answers, strict=True))
    return {
        name: LookupRows(table.loaded(loaded[name]) if name in loaded else {})
        for name, table in tables.lookups.items()
    }


def check_answer(fact: Fact, ask: Callable[[Fact], T]) -> T:
    """Return what a projection answers for *fact*; raise CannotProject if it cannot."""
    try:
        return ask(fact)
    except Exception as error:
        raise CannotProject(fact.position, error) from error


def facts_of(
    projection: Projection, event: RecordedEvent, decoded: DecodedEvents
) -> list[Fact]:
    """
    Return the facts of an event for the projection; none if it does not read its type.

    *decoded* is a cache of decoded events, shared with other projections.
    """
    try:
        bodies = projection.codec.read(event, decoded)
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

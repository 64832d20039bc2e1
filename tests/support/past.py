"""A fold of the past as anybody would write it, and copies that are made at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.log.read import COLUMNS
from eventstore.past.filler import Bounds, Filler
from eventstore.past.moments import Moment, resolve_moment
from eventstore.past.registry import PastCopy, find_right, tables_of_copy
from eventstore.past.wishes import want_copy
from eventstore.personal.keyring import Keyring
from eventstore.projections.projection import Fact, Projection
from eventstore.projections.table import Table
from tasks.shop.wiring import Shop
from tests.support.waiting import wait_until

Rows = dict[Any, Any]
MANY = Bounds(copies=10_000)


def read_events(shop: Shop) -> Sequence[RecordedEvent]:
    """Return the whole log in order, with its personal fields as they are today."""
    with shop.lent() as connection:
        rows = connection.execute(f"SELECT {COLUMNS} FROM events ORDER BY id")
        events = [RecordedEvent(*row) for row in rows]
        return Keyring(connection, shop.deciders.masters).decrypt_events(events)


def events_of(
    events: Sequence[RecordedEvent], moment: Moment
) -> Iterator[RecordedEvent]:
    """Yield the events that belong to a moment."""
    ended = set()
    for event in events:
        if moment.at is not None and event.occurred_at > moment.at:
            ended.add(event.stream_id)
        if event.stream_id not in ended and event.position <= moment.up_to:
            yield event


def fold_past(
    events: Sequence[RecordedEvent], projection: Projection, moment: Moment
) -> tuple[Rows, Mapping[str, Rows]]:
    """Return the rows as of a moment, and those of look-ups by name, all by key."""
    rows: Rows = {}
    lookups: dict[str, Rows] = {lookup.name: {} for lookup in projection.lookups}
    left_out = set()
    for event in events_of(events, moment):
        if event.type not in projection.types or event.stream_id in left_out:
            continue
        before = dict(rows), {name: dict(some) for name, some in lookups.items()}
        try:
            fold_one(event, projection, rows, lookups)
        except Exception:
            rows, lookups = before
            left_out.add(event.stream_id)
    return {k: row for k, row in rows.items() if row is not None}, lookups


def fold_one(
    event: RecordedEvent,
    projection: Projection,
    rows: Rows,
    lookups: Mapping[str, Rows],
) -> None:
    for body in projection.codec.read(event):
        fact = Fact(
            body,
            event.stream_id,
            event.position,
            event.version,
            event.occurred_at,
            event.metadata,
        )
        for lookup in projection.lookups:
            key = lookup.key_of(fact)
            if key is not None:
                held = lookups[lookup.name]
                held[key] = lookup.fold(held.get(key), fact)
        needed = projection.needs(fact)
        seen = {name: lookups[name].get(key) for name, key in needed.items()}
        for part in projection.parts(fact, seen):
            key = projection.key_of(part, seen)
            if key is not None:
                rows[key] = projection.fold(rows.get(key), part, seen)
        update = projection.update(fact)
        if update is not None:
            for key, row in rows.items():
                if row is not None and all(
                    getattr(row, name) == value for name, value in update.where.items()
                ):
                    rows[key] = replace(row, **update.to)


def make_copy(
    shop: Shop, projection: Projection, moment: Moment, bounds: Bounds = MANY
) -> PastCopy:
    """Return the copy of a moment, which is made if there is none yet."""
    with shop.lent() as connection:
        found = find_right(connection, projection, moment)
        if found is not None:
            return found
        want_copy(connection, projection, moment, "tests")
        fill_all(shop, connection, bounds)
        found = find_right(connection, projection, moment)
        assert found is not None
        return found


def fill_all(
    shop: Shop, connection: psycopg.Connection[Any], bounds: Bounds = MANY
) -> None:
    """Fill all copies that are wanted, as the relay's child does."""
    filler = Filler(connection, shop.projections, shop.deciders.masters, bounds)
    # The server may not know yet that one was killed.
    wait_until(filler.take_turn, "nobody else fills copies")
    while filler.fill_next() is not None:
        pass
    filler.end_turn()


def read_table(connection: psycopg.Connection[Any], table: Table) -> Rows:
    names = ", ".join(
        f"{name}::text" if column.decode else name
        for name, column in table.columns.items()
    )
    rows = connection.execute(f"SELECT {names} FROM readmodels.{table.name}".encode())
    return {row[table.place]: table.read(row) for row in rows}


def read_copy(
    shop: Shop, projection: Projection, copy: PastCopy
) -> tuple[Rows, Mapping[str, Rows]]:
    """Return the rows of a copy, and those of its look-ups by name, all by key."""
    tables = tables_of_copy(projection, copy.number)
    with shop.lent() as connection:
        lookups = {n: read_table(connection, t) for n, t in tables.lookups.items()}
        return read_table(connection, tables.rows), lookups


def moment_of(
    shop: Shop, at: datetime | None = None, position: int | None = None
) -> Moment:
    with shop.lent() as connection:
        return resolve_moment(connection, at=at, position=position)

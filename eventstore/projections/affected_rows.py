"""Find the rows of the read models that an event changes, without changing them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import psycopg

from eventstore.log.events import RecordedEvent
from eventstore.projections.folding import aim_alone
from eventstore.projections.generations import live_generations
from eventstore.projections.projection import Projection, Update
from eventstore.projections.tables import name_of, tables_of
from eventstore.steps import take_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedRows:
    """
    Rows of a read model that an event changes: where *where* holds.

    *is_there* says whether the read model has come as far as the event.
    """

    read_model: str
    where: Mapping[str, object]
    is_there: bool


def find_affected_rows(
    connection: psycopg.Connection,
    projections: Iterable[Projection],
    event: RecordedEvent,
) -> list[AffectedRows]:
    """
    Return what *event*, with its personal fields opened, changes in live read models.

    It calls the projections as catching up does; their look-ups have the present rows.
    Raises CannotProject if one of them fails on the event.
    """
    live = live_generations(connection)
    rows = connection.execute("SELECT name, checkpoint FROM public.subscriptions")
    checkpoints: dict[str, int] = dict(rows.fetchall())
    touched = []
    for projection in projections:
        if projection.name not in live or event.type not in projection.types:
            continue
        number = live[projection.name].number
        checkpoint = checkpoints.get(name_of(projection.name, number), 0)
        touched += [
            AffectedRows(
                read_model=projection.name,
                where=where,
                is_there=checkpoint >= event.position,
            )
            for where in wheres(connection, projection, number, event)
        ]
    return touched


def wheres(
    connection: psycopg.Connection,
    projection: Projection,
    number: int,
    event: RecordedEvent,
) -> list[Mapping[str, object]]:
    """Return which rows it changes, each once: by key, or by an update of many."""
    [changes] = take_steps(
        connection, [aim_alone(projection, tables_of(projection, number), event)]
    )
    found: list[Mapping[str, object]] = [
        change.where if isinstance(change, Update) else {projection.key: change.key}
        for change in changes
    ]
    return [where for n, where in enumerate(found) if where not in found[:n]]

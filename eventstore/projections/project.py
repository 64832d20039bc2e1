"""Apply a projection to a batch: load the rows, fold the events, store the rows."""

from collections.abc import Sequence
from functools import cache, partial

import psycopg

from eventstore.errors import CannotProject
from eventstore.log.events import RecordedEvent
from eventstore.projections.folding import Folding
from eventstore.projections.parked_streams import has_parked
from eventstore.projections.projection import Projection
from eventstore.projections.tables import Tables, tables_of
from eventstore.steps import send_all, take_steps
from eventstore.subscriptions.read_position import note_position
from eventstore.subscriptions.subscription import Batch, Subscription, Work


@cache
def subscription_of(projection: Projection, generation: int) -> Subscription:
    """
    Return the subscription that keeps one generation of a read model up to date.

    It stops before an event that cannot be projected; `parking` makes one that goes on.
    """
    tables = tables_of(projection, generation)
    return Subscription(
        name=tables.name,
        types=projection.types,
        handler=partial(project, projection, tables),
        work=partial(project_in_steps, projection, tables),
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
    batch = Batch(events, {}, has_parked=has_parked(connection, tables.name))
    steps = project_in_steps(projection, tables, batch)
    [writes] = take_steps(connection, [steps])
    send_all(connection, [note_position(events[-1].position), *(writes or ())])


def project_in_steps(projection: Projection, tables: Tables, batch: Batch) -> Work:
    """Fold a batch as `project` does, and return the statements that write its rows."""
    folding = Folding(projection, tables)
    yield from folding.fold(batch.events, batch.decoded, has_parked=batch.has_parked)
    for failure in folding.failures:
        raise CannotProject(failure.position, failure.error) from failure.error
    return folding.written()

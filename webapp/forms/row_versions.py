"""The row that a form is about, after each event of its stream."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import psycopg

from eventstore.aggregates.decider import category_of
from eventstore.aggregates.replaying import replay_stream
from eventstore.log.events import RecordedEvent
from eventstore.projections.projection import Fact
from readmodels.rows_of_orders import CustomerName
from webapp.current_shop import the_shop
from webapp.trying.asking import MODELS

LOOKED_UP: Mapping[str, Any] = {
    "customers": CustomerName(customer_id="", name="", email=None)
}
"""What other streams tell of a row: no form is about that."""


class RowVersion(NamedTuple):
    """An event of a stream, and the row after it."""

    event: RecordedEvent
    row: Any


def row_versions(
    connection: psycopg.Connection[Any], stream_id: str
) -> Iterator[RowVersion]:
    """
    Yield each event of a stream with the row that its read model makes of it.

    It is folded from the log, so it is as new as that, and has no version twice. Raises
    the error of an event that cannot be read.
    """
    model, row = MODELS[category_of(stream_id)], None
    kinds = tuple(model.projection.events)
    for step in replay_stream(connection, stream_id, the_shop().deciders):
        if step.error is not None:
            raise step.error
        event = step.event
        places = (event.position, event.version, event.occurred_at, event.metadata)
        for fact in step.facts:
            if isinstance(fact, kinds):
                row = model.fold(row, Fact(fact, stream_id, *places), LOOKED_UP)
        yield RowVersion(event, row)

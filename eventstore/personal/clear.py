"""What is in the clear: events that were written before there were keys."""

from collections.abc import Sequence

import sqlalchemy as sa

from eventstore.decider import Deciders
from eventstore.log.schema import events
from eventstore.personal.box import FORGOTTEN, PERSONAL


def count_in_the_clear(
    connection: sa.Connection, stream_ids: Sequence[str], deciders: Deciders
) -> int:
    """Return how many events of these streams have personal fields not encrypted."""
    types = [name for d in deciders.all for name in d.events.personal_types]
    statement = sa.select(sa.func.count()).where(
        events.c.stream_id.in_(stream_ids),
        events.c.type.in_(types),
        ~events.c.data.has_key(PERSONAL),
        ~events.c.data.has_key(FORGOTTEN),
    )
    return connection.scalar(statement) or 0

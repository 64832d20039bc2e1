"""Where all subscriptions stand: what an operator asks."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from eventstore.subscriptions.schema import subscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One subscription; *lag* is how many positions it is behind *settled*."""

    name: str
    checkpoint: int
    lag: int
    stopped_at_position: int | None
    error: dict[str, Any] | None


def find_standings(connection: sa.Connection) -> list[Standing]:
    """Return where each subscription stands, by name."""
    settled = connection.scalar(sa.select(sa.func.public.settled())) or 0
    rows = connection.execute(
        sa.select(
            subscriptions.c.name,
            subscriptions.c.checkpoint,
            subscriptions.c.stopped_at_position,
            subscriptions.c.error,
        ).order_by(subscriptions.c.name)
    )
    return [
        Standing(
            name=row.name,
            checkpoint=row.checkpoint,
            lag=max(settled - row.checkpoint, 0),
            stopped_at_position=row.stopped_at_position,
            error=row.error,
        )
        for row in rows
    ]

"""Where all subscriptions stand: what an operator asks."""

from collections.abc import Collection
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


def find_standings(
    connection: sa.Connection, names: Collection[str] | None = None
) -> list[Standing]:
    """Return where the subscriptions called *names* stand, or all, by name."""
    is_asked = sa.true() if names is None else subscriptions.c.name.in_(names)
    settled = connection.scalar(sa.select(sa.func.public.settled())) or 0
    rows = connection.execute(
        sa.select(
            subscriptions.c.name,
            subscriptions.c.checkpoint,
            subscriptions.c.stopped_at_position,
            subscriptions.c.error,
        )
        .where(is_asked)
        .order_by(subscriptions.c.name)
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

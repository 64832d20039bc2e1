"""
Forgetting in kept generations: the only rows that no event changes.

It is a subscription. Live rows are changed by the projection of the event; an old
generation is no longer caught up, and so is dropped as a whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from eventstore.errors import CannotProject, LiveRowsBehind
from eventstore.log.events import RecordedEvent
from eventstore.projections.generations import (
    drop_generation,
    existing_generations,
    live_generations,
    lock_generations,
)
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of
from eventstore.subscriptions.subscription import Subscription

NAME = "forgetting"
LOCK_TIMEOUT_MS = 500


def forgetting(
    projections: Sequence[Projection],
    forgets: Sequence[type],
    *,
    then: Callable[[psycopg.Connection, int], None] = lambda *_: None,
) -> Subscription:
    """
    Return the subscription that acts on events of the classes *forgets*.

    *then* is called in the same transaction, with the position of the last of them.
    """
    return Subscription(
        name=NAME,
        types=[kind.__name__ for kind in forgets],
        handler=OldGenerationDrop(projections, then).drop_kept,
    )


@dataclass(frozen=True, slots=True)
class OldGenerationDrop:
    """
    The handler that drops them, after the live rows, which may be kept next.

    What a rebuild has left unfinished goes, too. One that is at work reads the event.
    """

    projections: Sequence[Projection]
    then: Callable[[psycopg.Connection, int], None]

    def drop_kept(
        self, connection: psycopg.Connection, events: Sequence[RecordedEvent]
    ) -> None:
        self.refuse_behind(connection, events[-1].position)
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
        live = live_generations(connection)
        for projection in self.projections:
            if projection.name not in live:
                continue
            is_left = lock_generations(connection, projection.name)
            for number in existing_generations(connection, projection.name):
                newest = live[projection.name].number
                if number < newest or (number > newest and is_left):
                    drop_generation(connection, projection.name, number)
        self.then(connection, events[-1].position)

    def refuse_behind(self, connection: psycopg.Connection, position: int) -> None:
        """Raise CannotProject where a live generation has not come to *position*."""
        live = live_generations(connection)
        names = [
            name_of(projection.name, live[projection.name].number)
            for projection in self.projections
            if projection.name in live
        ]
        row = connection.execute(
            """
            SELECT min(name) FROM public.subscriptions
            -- One that is ahead has not read what it stands behind.
            WHERE name = ANY (%s) AND (
                checkpoint < %s
                OR public.checkpoint_fault(checkpoint, event_id) IS NOT NULL
            )
            """,
            (names, position),
        ).fetchone()
        if row is not None and row[0] is not None:
            raise CannotProject(position, LiveRowsBehind(row[0]))

"""How each webhook stands: its lag and what fails, for operators and metrics."""

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import psycopg

from tasks.webhooks.progress import StreamProgress
from tasks.webhooks.registry import State

MAX_COUNTED = 10_000
"""Events that are counted at most: a webhook may be a million behind."""


class Standing(NamedTuple):
    """
    How a webhook stands.

    *behind* counts events of the log behind its position, wanted or not, 10,000 at
    most, and *seconds* is since when the first event that is not delivered is in the
    log: 0 if there is none. *streams* are those with an event under way or failing.
    *state_since*, *moved_at* and *answered_at* are times of the last change of the
    state, of the position, and of the last answer. *outcomes* counts attempts by how
    they ended.
    """

    name: str
    state: State
    state_since: datetime
    stopped_because: str | None
    position: int
    behind: int
    seconds: float
    streams: list[StreamProgress]
    outcomes: dict[str, int]
    last_answer: str | None
    answered_at: datetime | None
    moved_at: datetime

    @property
    def failing(self) -> list[StreamProgress]:
        """Streams whose event failed, and is tried again."""
        return [one for one in self.streams if one.error]


def find_standings(
    connection: psycopg.Connection[Any], name: str | None = None
) -> list[Standing]:
    """Return how the webhook with that *name* stands, or all of them, by name."""
    rows = connection.execute(
        """
        SELECT
            p.name, p.state, p.state_since, p.stopped_because, p.position,
            (
                SELECT count(*) FROM (
                    SELECT FROM public.events AS e
                    WHERE e.id > p.position AND e.id <= s.settled
                    LIMIT %(most)s
                ) AS later
            ),
            coalesce((
                SELECT greatest(extract(epoch FROM clock_timestamp() - coalesce(
                    (e.metadata ->> 'recorded_at')::timestamptz, e.occurred_at
                )), 0)
                FROM public.events AS e
                WHERE e.id = least(
                    (
                        SELECT min((one ->> 'position')::bigint)
                        FROM jsonb_array_elements(p.streams) AS one
                    ),
                    (
                        SELECT min(later.id) FROM public.events AS later
                        WHERE later.id > p.position AND later.id <= s.settled
                    )
                )
            ), 0)::float,
            p.streams, p.outcomes, p.last_answer, p.answered_at, p.moved_at
        FROM public.webhook_progress AS p, public.settled() AS s (settled)
        WHERE %(name)s::text IS NULL OR p.name = %(name)s
        ORDER BY p.name
        """,
        {"most": MAX_COUNTED, "name": name},
    )
    return [
        Standing(*row)._replace(streams=msgspec.convert(row[7], list[StreamProgress]))
        for row in rows
    ]

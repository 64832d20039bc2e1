"""How each webhook stands: its lag and what fails, for operators and metrics."""

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
import psycopg

from tasks.webhooks.progress import StreamProgress
from tasks.webhooks.registry import State

T = TypeVar("T")

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
    connection: psycopg.Connection[Any],
    name: str | None = None,
    *,
    counts_behind: bool = True,
) -> list[Standing]:
    """
    Return how the webhook with that *name* stands, or all of them, by name.

    Without *counts_behind*, which reads up to 10,000 entries of an index for each,
    *behind* is 0. Streams and outcomes that cannot be read are left out.
    """
    rows = connection.execute(
        """
        SELECT
            p.name, p.state, p.state_since, p.stopped_because, p.position,
            CASE WHEN %(counts)s THEN (
                SELECT count(*) FROM (
                    SELECT FROM public.events AS e
                    WHERE e.id > p.position AND e.id <= s.settled
                    LIMIT %(most)s
                ) AS later
            ) ELSE 0 END,
            p.streams, p.outcomes, p.last_answer, p.answered_at, p.moved_at,
            clock_timestamp(), oldest.recorded_at, oldest.occurred_at
        FROM public.webhook_progress AS p
        CROSS JOIN public.settled() AS s (settled)
        LEFT JOIN LATERAL (
            SELECT e.metadata ->> 'recorded_at' AS recorded_at, e.occurred_at
            FROM public.events AS e
            WHERE e.id = least(
                (
                    SELECT min((one #>> '{}')::bigint) FROM jsonb_path_query(
                        p.streams, 'lax $[*].position ? (@.type() == "number")'
                    ) AS one
                ),
                (
                    SELECT min(later.id) FROM public.events AS later
                    WHERE later.id > p.position AND later.id <= s.settled
                )
            )
        ) AS oldest ON true
        WHERE %(name)s::text IS NULL OR p.name = %(name)s
        ORDER BY p.name
        """,
        {"most": MAX_COUNTED, "name": name, "counts": counts_behind},
    )
    return [
        Standing._make(
            [
                *row[:6],
                seconds_since(row[12], row[13], row[11]),
                read_or(row[6], list[StreamProgress], []),
                read_or(row[7], dict[str, int], {}),
                *row[8:11],
            ]
        )
        for row in rows
    ]


def read_or(stored: Any, kind: type[T], otherwise: T) -> T:
    """Return stored JSON as a *kind*, or something else if it cannot be read."""
    try:
        return msgspec.convert(stored, kind)
    except msgspec.ValidationError:
        return otherwise


def seconds_since(
    recorded_at: str | None, occurred_at: datetime | None, now: datetime
) -> float:
    """
    Return since when an event is in the log, in seconds; 0 if there is none.

    *recorded_at* is a text of its metadata: one that is no time, as an import may have
    brought, is passed over.
    """
    if occurred_at is None:
        return 0.0
    moment = occurred_at
    with suppress(ValueError):
        recorded = datetime.fromisoformat(recorded_at or "")
        moment = occurred_at if recorded.tzinfo is None else recorded
    return max((now - moment).total_seconds(), 0.0)

"""How many copies there are, and how much they take."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import psycopg


class CopyCounts(NamedTuple):
    """
    How many copies there are by state, and how many bytes they have together.

    *waiting* is since how many seconds somebody has waited for one that nobody has
    begun to fill; 0 if nobody does.
    """

    by_state: Mapping[str, int]
    bytes: int
    waiting: float


def count_copies(connection: psycopg.Connection[Any]) -> CopyCounts:
    """Return how many copies there are."""
    rows = connection.execute(
        """
        SELECT
            state, count(*), coalesce(sum(bytes), 0)::bigint,
            max(extract(epoch FROM clock_timestamp() - asked_at))::float8
        FROM public.past_copies GROUP BY state
        """
    ).fetchall()
    waiting = [age for state, _, _, age in rows if state == "wanted"]
    return CopyCounts(
        {state: count for state, count, *_ in rows},
        sum(size for _, _, size, _ in rows),
        max(waiting, default=0.0),
    )

"""Prune the journal: delete old finished commands."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import psycopg

FINAL = ("succeeded", "rejected", "abandoned", "cancelled")
"""The statuses that may be pruned. Failed commands may still be retried."""
BATCH = 1_000


def count_prunable(
    connection: psycopg.Connection[Any], finished_before: datetime
) -> Mapping[str, int]:
    """Return the number of commands finished before that time, by status."""
    rows = connection.execute(
        """
        SELECT status, count(*) FROM public.commands
        WHERE status = ANY (%s) AND finished_at < %s GROUP BY 1 ORDER BY 1
        """,
        (list(FINAL), finished_before),
    )
    return dict(rows.fetchall())


def prune(
    connection: psycopg.Connection[Any],
    finished_before: datetime,
    *,
    by: str,
    because: str = "",
    batch: int = BATCH,
) -> Iterator[int]:
    """
    Delete commands finished before that time; yield the number of each batch.

    On a *connection* in autocommit each batch is a transaction of its own: a caller
    may stop in between and continue later. After pruning, a command that is sent again
    under the same key is a new command.
    """
    row = connection.execute(
        "SELECT public.begin_pruning(%s, %s, %s)", (finished_before, by, because)
    ).fetchone()
    assert row is not None
    reached: int | None = 0
    while reached is not None:
        pruned, reached = connection.execute(
            "SELECT pruned, last_seq FROM public.prune_commands(%s, %s, %s)",
            (row[0], reached, batch),
        ).fetchone() or (0, None)
        yield pruned


def find_pruned_before(connection: psycopg.Connection[Any]) -> datetime | None:
    """Return the time before which finished commands were pruned, or None."""
    row = connection.execute(
        "SELECT max(finished_before) FROM public.prunings"
    ).fetchone()
    moment: datetime | None = row[0] if row else None
    return moment

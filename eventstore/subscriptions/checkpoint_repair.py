"""Setting a checkpoint right: no event is skipped, and none is acted on twice."""

from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row


class CheckpointRepair(NamedTuple):
    """
    What was wrong with a checkpoint, and where it stood and stands.

    *fault* is None where nothing was wrong. *moved_to* is None where nothing was
    changed: it was right, or the right position is unknown.
    """

    fault: str | None
    moved_from: int
    moved_to: int | None


def repair_checkpoint(
    connection: psycopg.Connection[Any],
    name: str,
    *,
    by: str,
    because: str,
    after: int | None = None,
) -> CheckpointRepair | None:
    """
    Set the checkpoint of the subscription *name* back to the last event that it read.

    Returns None where there is no such subscription. *by* and *because* go into the log
    of PostgreSQL. *after* is a position that an operator vouches for: a process manager
    has acted on all up to there, and on nothing behind it. It counts only where neither
    the log nor the journal tells that.
    """
    with connection.cursor(row_factory=class_row(CheckpointRepair)) as cursor:
        return cursor.execute(
            """
            SELECT fault, moved_from, moved_to
            FROM public.repair_checkpoint(%s, %s, %s, %s)
            """,
            (name, by, because, after),
        ).fetchone()

"""Undecidable commands: they were tried and still wait, by no fault of their own."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa


@dataclass(frozen=True, slots=True, kw_only=True)
class UndecidedCommand:
    """
    A command that could not be decided, the first of its stream.

    *error* and *message* are the reason, *since* is when it was found, and *behind* the
    number of commands of its stream that wait for it.
    """

    command_id: str
    stream_id: str
    type: str
    attempts: int
    since: datetime
    error: str
    message: str
    behind: int


def find_undecided(
    connection: sa.Connection, *, stream_id: str | None = None, most: int = 20
) -> list[UndecidedCommand]:
    """
    Return those of a stream or of all, at most so many, the oldest first.

    It reads waiting commands, not finished ones. Those that wait for their turn, or
    were given back after a conflict, are left out.
    """
    rows = connection.execute(
        sa.text(
            """
            SELECT
                c.id::text AS command_id, c.stream_id, c.type, c.attempts,
                tried.since, coalesce(tried.detail ->> 'error', '') AS error,
                coalesce(tried.detail ->> 'message', '') AS message,
                (
                    SELECT count(*) FROM commands AS later
                    WHERE later.stream_id = c.stream_id AND later.status = 'accepted'
                        AND later.id <> c.id
                ) AS behind
            FROM commands AS c
            CROSS JOIN LATERAL (
                -- After a retry it begins again.
                SELECT
                    min(i.at) AS since,
                    (array_agg(i.detail ORDER BY i.id DESC))[1] AS detail,
                    (array_agg(i.kind ORDER BY i.id DESC))[1] AS kind
                FROM command_incidents AS i
                WHERE i.command_id = c.id AND i.id > coalesce((
                    SELECT max(r.id) FROM command_incidents AS r
                    WHERE r.command_id = c.id AND r.kind = 'retried'
                ), 0)
            ) AS tried
            WHERE c.status = 'accepted' AND c.next_try_at IS NOT NULL
                AND tried.kind = 'error'
                AND (CAST(:stream_id AS text) IS NULL OR c.stream_id = :stream_id)
            ORDER BY c.seq
            LIMIT :most
            """
        ),
        {"stream_id": stream_id, "most": most},
    ).mappings()
    return [UndecidedCommand(**row) for row in rows]


def count_undecided(connection: sa.Connection) -> int:
    """Return the number of streams whose first waiting command is undecidable."""
    return len(find_undecided(connection, most=10_000))

"""The journal, read once: each command, and all that the log has of it."""

from datetime import datetime
from typing import Any, NamedTuple

import psycopg

QUERY = """
WITH effects AS MATERIALIZED (
    SELECT
        (metadata ->> 'command_id')::uuid AS command_id,
        array_agg(type::text ORDER BY id) AS types,
        min(id) AS first_id,
        max(id) AS last_id,
        min(version) AS first_version,
        max(version) AS last_version,
        array_agg(DISTINCT stream_id::text) AS streams,
        count(DISTINCT metadata ->> 'recorded_at') AS appends
    FROM events
    WHERE metadata ? 'command_id'
    GROUP BY 1
), retried AS MATERIALIZED (
    SELECT DISTINCT command_id FROM command_incidents WHERE kind = 'retried'
)
SELECT
    c.id::text,
    c.type,
    c.stream_id,
    c.data - '$personal',
    c.status,
    c.status = 'accepted' AND c.turn IS NULL
        AND coalesce(c.not_before > clock_timestamp(), false),
    starts_with(c.principal, 'process:'),
    r.command_id IS NOT NULL,
    c.seq,
    CASE WHEN c.not_before IS NULL THEN c.seq ELSE c.turn END,
    c.accepted_at,
    c.not_before,
    c.finished_at,
    -- Where it has no events: the head of its stream when it was decided, 0 if none.
    CASE
        WHEN e.command_id IS NOT NULL THEN NULL
        WHEN c.status = 'rejected' AND c.position IS NULL THEN 0
        ELSE head.id
    END,
    coalesce(e.types, '{}'),
    e.first_id,
    e.last_id,
    e.first_version,
    e.last_version,
    coalesce(e.streams, '{}'),
    coalesce(e.appends, 0)
FROM commands AS c
LEFT JOIN effects AS e ON e.command_id = c.id
LEFT JOIN retried AS r ON r.command_id = c.id
LEFT JOIN events AS head
    ON head.id = c.position AND head.stream_id = c.stream_id
"""


class Command(NamedTuple):
    """
    A command of the journal, and what it has done.

    *number* is of its acceptance. *turn* comes from the same sequence, and is None for
    one that is scheduled still, or was taken back.

    *decided_at* is the event that its stream ended with when one without events was
    decided; None where that is not known.
    """

    id: str
    type: str
    stream: str
    data: dict[str, Any]
    status: str
    is_scheduled: bool
    is_internal: bool
    was_retried: bool
    number: int
    turn: int | None
    accepted_at: datetime
    not_before: datetime | None
    finished_at: datetime | None
    decided_at: int | None
    events: list[str]
    first_event: int | None
    last_event: int | None
    first_version: int | None
    last_version: int | None
    streams: list[str]
    appends: int


def read_journal(connection: psycopg.Connection[Any]) -> dict[str, Command]:
    """Return all commands by their ids."""
    with connection.cursor() as cursor:
        cursor.execute(QUERY)
        return {row[0]: Command(*row) for row in cursor}

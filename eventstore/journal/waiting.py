"""What waits longer than it should: what the relay runs."""

from typing import Any
from uuid import UUID

import psycopg


def find_waiting(
    connection: psycopg.Connection[Any],
    *,
    patience: float,
    most: int,
    after_stream: str = "",
) -> list[tuple[str, UUID]]:
    """
    Return streams in order, each with the command whose turn it is.

    *patience* is how many seconds a command may wait for its message.
    """
    rows = connection.execute(
        """
        SELECT stream_id, command_id
        FROM public.waiting(make_interval(secs => %s), %s, %s)
        """,
        (patience, most, after_stream),
    )
    return [(stream_id, command_id) for stream_id, command_id in rows]

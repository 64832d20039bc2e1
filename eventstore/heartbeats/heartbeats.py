"""Heartbeats: each process regularly writes that it lives; others read it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

SILENT_AFTER = 3.0
"""Seconds without a beat after which a process is gone; the SQL functions agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """
    What a process reports; *idle_seconds* is None while it is busy.

    `beat.sql` decides after how many idle seconds no message can be on its way to it.
    """

    process: str
    role: str
    serves_commands: bool = False
    idle_seconds: float | None = None
    received: UUID | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """
    A process as others see it; *silence* is in seconds, by the database's clock.

    It is never negative: a beat in the future, from before the clock was set back,
    counts as silence until the next one.
    """

    process: str
    role: str
    started_at: datetime
    silence: float
    detail: dict[str, Any]

    @property
    def is_alive(self) -> bool:
        return self.silence < SILENT_AFTER


def beat(connection: psycopg.Connection[Any], beat: Beat, *, is_new: bool) -> None:
    """Write that a process lives; *is_new* is its first beat."""
    connection.execute(
        "SELECT public.beat(%s, %s, %s, %s, %s, %s, %s::text::jsonb)",
        (
            beat.process,
            beat.role,
            is_new,
            beat.serves_commands,
            beat.idle_seconds,
            beat.received,
            msgspec.json.encode(beat.detail).decode(),
        ),
    )


def end_beat(connection: psycopg.Connection[Any], process: str) -> None:
    """Delete the heartbeat of a process that ends regularly."""
    connection.execute("SELECT public.end_beat(%s)", (process,))


def find_heartbeats(connection: psycopg.Connection[Any]) -> list[Heartbeat]:
    """Return all processes that beat within the last hour, by role."""
    rows = connection.execute(
        """
        SELECT
            process, role, started_at,
            extract(epoch FROM clock_timestamp() - beat_at)::float8, detail
        FROM public.heartbeats
        ORDER BY role, process
        """
    ).fetchall()
    return [
        Heartbeat(
            process=process,
            role=role,
            started_at=started_at,
            silence=silence if silence >= 0 else SILENT_AFTER,
            detail=detail,
        )
        for process, role, started_at, silence, detail in rows
    ]

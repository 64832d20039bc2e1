"""Who holds the fence: what the readers of the log wait for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """
    A transaction that may still bring in events behind *floor*.

    It holds back *positions* that were drawn since, its own among them. A prepared one
    has a *gid* and no process. *since* and *seconds* are None where the session is
    another role's, and we may not look into it.
    """

    floor: int
    positions: int
    pid: int | None
    gid: str | None
    since: datetime | None
    seconds: float | None
    application_name: str | None
    user: str | None
    state: str | None


def find_holders(connection: psycopg.Connection[Any]) -> list[Holder]:
    """Return who holds the fence now, the smallest floor first."""
    with connection.cursor(row_factory=class_row(Holder)) as cursor:
        return cursor.execute(
            """
            SELECT
                held_floor AS floor, positions, pid, gid, since, seconds,
                application_name, username AS "user", state
            FROM public.fence_holders()
            """
        ).fetchall()

"""The transactions that hold the fence, for which readers of the log wait."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """
    A transaction that may still append events after *floor*.

    It holds back *positions* drawn since, its own among them. A prepared one has a
    *gid* and no process. *since* and *seconds* are None if the session is another
    role's, so that we may not see them.
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
    """Return the present holders of the fence, the smallest floor first."""
    with connection.cursor(row_factory=class_row(Holder)) as cursor:
        return cursor.execute(
            """
            SELECT
                held_floor AS floor, positions, pid, gid, since, seconds,
                application_name, username AS "user", state
            FROM public.fence_holders()
            """
        ).fetchall()

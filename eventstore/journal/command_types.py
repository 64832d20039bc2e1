"""The types of commands, by their ids."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import psycopg


def find_types(
    connection: psycopg.Connection[Any], ids: Iterable[UUID | None]
) -> dict[UUID, str]:
    """Return the types of the commands *ids*; those that were pruned are left out."""
    wanted = {command_id for command_id in ids if command_id is not None}
    if not wanted:
        return {}
    rows = connection.execute(
        "SELECT id, type FROM public.commands WHERE id = ANY (%s)", (list(wanted),)
    )
    return dict(rows.fetchall())

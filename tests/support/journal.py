"""What a test asks of the journal."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.support.engine import Engine


def appends(engine: Engine, ids: Sequence[UUID]) -> int:
    """Return how many appends finished these commands: each has its moment."""
    return len({engine.entry(command_id).finished_at for command_id in ids})


def error_of(engine: Engine, command_id: UUID) -> dict[str, Any]:
    error = engine.entry(command_id).error
    assert error is not None
    return error


def next_try(engine: Engine, command_id: UUID) -> datetime | None:
    ((moment,),) = engine.connection.execute(
        "SELECT next_try_at FROM commands WHERE id = %s", (command_id,)
    ).fetchall()
    assert moment is None or isinstance(moment, datetime)
    return moment


def kinds(engine: Engine, command_id: UUID) -> list[str]:
    return [incident.kind for incident in engine.incidents(command_id)]

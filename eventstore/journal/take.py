"""Taking a stream: its lock, its due commands, its events; and giving it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.log.events import RecordedEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCommand:
    """A command whose turn it is; *data* is JSON still."""

    id: UUID
    type: str
    expected_version: int | None
    data: str
    metadata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    A stream that this session holds: what is due in it, and what happened in it.

    *most* is 1 where a runner died here: one command at a time from then on.
    """

    stream_id: str
    most: int
    commands: Sequence[TakenCommand]
    events: Sequence[RecordedEvent]


def take(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    runner: str,
    most: int,
    most_bytes: int,
    most_deaths: int,
) -> Taken | None:
    """
    Take the stream of *command_id*, in one round trip.

    Returns None where there is nothing to do: it is finished, or somebody has the
    stream. Whoever gets one must `release` it.
    """
    rows = connection.execute(
        """
        SELECT kind, ref, stream_id, type, version, data::text, metadata::text, moment
        FROM public.take(%s, %s, %s, %s, %s)
        """,
        (command_id, runner, most, most_bytes, most_deaths),
    ).fetchall()
    if not rows:
        return None
    commands, events = [], []
    for kind, ref, stream_id, type_, version, data, metadata, moment in rows[1:]:
        if kind == "command":
            commands.append(
                TakenCommand(
                    id=ref,
                    type=type_,
                    expected_version=version,
                    data=data,
                    metadata=metadata,
                )
            )
        else:
            events.append(
                RecordedEvent(0, stream_id, type_, version, data, metadata, moment)
            )
    return Taken(
        stream_id=rows[0][2], most=rows[0][4], commands=commands, events=events
    )


def give_back(
    connection: psycopg.Connection[Any],
    command_ids: Sequence[UUID],
    *,
    incident: str,
    detail: Mapping[str, Any],
    must_wait: bool,
) -> None:
    """Put commands back that were not finished, with the reason why."""
    connection.execute(
        "SELECT public.give_back(%s::uuid[], %s, %s::text::jsonb, %s)",
        (
            list(command_ids),
            incident,
            msgspec.json.encode(detail).decode(),
            must_wait,
        ),
    )


def forget_marks(
    connection: psycopg.Connection[Any],
    runner: str,
    asked: UUID,
    detail: Mapping[str, Any],
) -> None:
    """Clear the marks that *runner* left by an error, *asked* to run one: it lives."""
    connection.execute(
        "SELECT public.forget_marks(%s, %s, %s::text::jsonb)",
        (runner, asked, msgspec.json.encode(detail).decode()),
    )


def release(connection: psycopg.Connection[Any], stream_id: str) -> UUID | None:
    """Let go of a stream and return the command that is due in it now, or None."""
    row = connection.execute("SELECT public.release(%s)", (stream_id,)).fetchone()
    assert row is not None
    next_due: UUID | None = row[0]
    return next_due

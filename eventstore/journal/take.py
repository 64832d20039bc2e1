"""Take a stream: its lock, its due commands, its history; and release it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.history import (
    HISTORY_COLUMNS,
    StreamHistory,
    parse_histories,
)
from eventstore.journal.runner import Runner
from eventstore.personal.keyring import (
    NO_PREFETCHED_KEYS,
    PrefetchedKeys,
    keys_of_commands,
)

MAX_OF_EACH = 20
"""Commands of one stream that is taken with others; the rest is taken alone."""

_LEASE_COLUMNS = f"""
    {HISTORY_COLUMNS},
    lease_limit, command_id, expected_version, attempts, conflicts, keys
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedCommand:
    """A command whose turn it is; *data* is JSON still, *attempts* counts this one."""

    id: UUID
    type: str
    expected_version: int | None
    data: str
    metadata: str
    attempts: int = 0
    conflicts: int = 0


class LeaseRow(NamedTuple):
    """
    A row of what the functions `take`, `take_many` and `take_ahead` return.

    Its *kind* is `failed`, `stream` or `command`: rows of the history, which `load`
    returns too, are not made into this. What a kind does not have is None.
    """

    kind: str
    position: int | None
    stream_id: str
    type: str
    version: int
    data: str
    metadata: str
    occurred_at: datetime | None
    checksum: str | None
    refused: str | None
    lease_limit: int
    command_id: UUID
    expected_version: int | None
    attempts: int
    conflicts: int
    keys: str | None


class DeadCommand(NamedTuple):
    """A command that killed its runners too often, and its stream's version then."""

    command: LeasedCommand
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeasedStream:
    """
    A stream that this session holds: its due commands and its history.

    *lease_limit* is the number of commands that may be run at once: 1 if a runner died
    in this stream. *given_up* are commands that this take has failed, because their
    runners died `Limits.deaths` times. *keys* are command keys and subject keys, valid
    for a run that begins at once.
    """

    stream_id: str
    lease_limit: int
    commands: Sequence[LeasedCommand]
    past: StreamHistory
    given_up: Sequence[DeadCommand] = ()
    keys: PrefetchedKeys = NO_PREFETCHED_KEYS


def take(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    runner: Runner,
    max_commands: int | None = None,
) -> LeasedStream | None:
    """
    Take the stream of *command_id*, in one round trip.

    *max_commands* are leased at most, fewer than the runner's limit. Returns None where
    there is nothing to do: the command is finished, or another runner has the stream.
    The caller must `release` what it gets.
    """
    rows = connection.execute(
        f"SELECT {_LEASE_COLUMNS} FROM public.take(%s, %s, %s, %s, %s, %s::text[])",
        (command_id, *lease_limits(runner, max_commands)),
    ).fetchall()
    return next(iter(parse_leases(rows)), None)


def take_many(
    connection: psycopg.Connection[Any],
    command_ids: Sequence[UUID],
    runner: Runner,
) -> list[LeasedStream]:
    """
    Take the streams of *command_ids* that are free, each once, in one round trip.

    Few commands of each. Streams in which a runner died are left out: they must be
    taken alone.
    """
    rows = connection.execute(
        f"SELECT {_LEASE_COLUMNS}"
        " FROM public.take_many(%s::uuid[], %s, %s, %s, %s, %s::text[])",
        (list(command_ids), *lease_limits(runner, MAX_OF_EACH)),
    ).fetchall()
    return parse_leases(rows)


def take_ahead(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    runner: Runner,
    ahead: int,
) -> list[LeasedStream]:
    """
    Take the stream of *command_id*, and *ahead* of those behind it that are free.

    If another runner holds the first, the others are taken all the same. Nothing is
    taken if the command is finished or unknown.
    """
    rows = connection.execute(
        f"SELECT {_LEASE_COLUMNS}"
        " FROM public.take_ahead(%s, %s, %s, %s, %s, %s, %s, %s::text[])",
        (
            command_id,
            ahead,
            min(MAX_OF_EACH, runner.limits.commands),
            *lease_limits(runner),
        ),
    ).fetchall()
    return parse_leases(rows)


def lease_limits(
    runner: Runner, max_commands: int | None = None
) -> tuple[str, int, int, int, str]:
    """Return the limits of a runner as arguments of the SQL functions."""
    limits = runner.limits
    commands = limits.commands
    return (
        runner.name,
        commands if max_commands is None else min(max_commands, commands),
        limits.bytes,
        limits.deaths,
        runner.deciders.fingerprints,
    )


def parse_leases(rows: Sequence[tuple[Any, ...]]) -> list[LeasedStream]:
    """Return the streams of *rows*, which have the _LEASE_COLUMNS, in their order."""
    by_stream: dict[str, list[LeaseRow]] = {}
    for row in rows:
        if row[0] in ("failed", "stream", "command"):
            by_stream.setdefault(row[2], []).append(LeaseRow(*row))
    pasts = parse_histories(by_stream, rows)
    return [
        parse_leased_stream(of_one, pasts[stream_id])
        for stream_id, of_one in by_stream.items()
    ]


def parse_leased_stream(rows: Sequence[LeaseRow], past: StreamHistory) -> LeasedStream:
    """Return the stream whose rows but for its *past* are *rows*."""
    (stream,) = (row for row in rows if row.kind == "stream")
    due = [row for row in rows if row.kind == "command"]
    return LeasedStream(
        stream_id=stream.stream_id,
        lease_limit=stream.lease_limit,
        commands=[parse_leased_command(row) for row in due],
        past=past,
        given_up=[
            DeadCommand(parse_leased_command(row), row.version)
            for row in rows
            if row.kind == "failed"
        ],
        keys=keys_of_commands(row.keys for row in due),
    )


def parse_leased_command(row: LeaseRow) -> LeasedCommand:
    return LeasedCommand(
        id=row.command_id,
        type=row.type,
        expected_version=row.expected_version,
        data=row.data,
        metadata=row.metadata,
        attempts=row.attempts,
        conflicts=row.conflicts,
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
    """Clear the marks that a live *runner* left after an error, *asked* to run one."""
    connection.execute(
        "SELECT public.forget_marks(%s, %s, %s::text::jsonb)",
        (runner, asked, msgspec.json.encode(detail).decode()),
    )


def release(connection: psycopg.Connection[Any], stream_id: str) -> UUID | None:
    """Release a stream and return the command that is due in it now, or None."""
    row = connection.execute("SELECT public.release(%s)", (stream_id,)).fetchone()
    assert row is not None
    next_due: UUID | None = row[0]
    return next_due


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

"""Taking a stream: its lock, its due commands, its past; and giving it back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.history import LOADED, Past, gathered
from eventstore.personal.keyring import NO_KEYS, Along, keys_of_commands


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenCommand:
    """A command whose turn it is; *data* is JSON still, *attempts* counts this one."""

    id: UUID
    type: str
    expected_version: int | None
    data: str
    metadata: str
    attempts: int = 0
    conflicts: int = 0


class GivenUp(NamedTuple):
    """A command that killed its runners too often, and its stream's version then."""

    command: TakenCommand
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """
    A stream that this session holds: what is due in it, and what happened in it.

    *most* is 1 where a runner died here: one command at a time from then on. *given_up*
    are final by the take itself. *keys* are those of its commands, and whom they are
    about, as they were then: for who runs it at once.
    """

    stream_id: str
    most: int
    commands: Sequence[TakenCommand]
    past: Past
    given_up: Sequence[GivenUp] = ()
    keys: Along = NO_KEYS


def take(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    runner: str,
    most: int,
    most_bytes: int,
    most_deaths: int,
    fingerprints: str,
) -> Taken | None:
    """
    Take the stream of *command_id*, in one round trip.

    *fingerprints* are of the snapshots that the caller can read. Returns None where
    there is nothing to do: it is finished, or somebody has the stream. Whoever gets one
    must `release` it.
    """
    rows = connection.execute(
        f"SELECT {LOADED}, ref FROM public.take(%s, %s, %s, %s, %s, %s::text[])",
        (command_id, runner, most, most_bytes, most_deaths, fingerprints),
    ).fetchall()
    return taken_of(rows) if rows else None


def take_many(
    connection: psycopg.Connection[Any],
    command_ids: Sequence[UUID],
    *,
    runner: str,
    most: int,
    most_bytes: int,
    most_deaths: int,
    fingerprints: str,
) -> list[Taken]:
    """
    Take the streams of *command_ids* that are free, each once, in one round trip.

    Not among them are those in which a runner died: they want to be taken alone.
    """
    rows = connection.execute(
        f"SELECT {LOADED}, ref"
        " FROM public.take_many(%s::uuid[], %s, %s, %s, %s, %s::text[])",
        (list(command_ids), runner, most, most_bytes, most_deaths, fingerprints),
    ).fetchall()
    return taken_by_stream(rows)


def take_ahead(
    connection: psycopg.Connection[Any],
    command_id: UUID,
    *,
    ahead: int,
    most_of_others: int,
    runner: str,
    most: int,
    most_bytes: int,
    most_deaths: int,
    fingerprints: str,
) -> list[Taken]:
    """
    Take the stream of *command_id*, and *ahead* of those behind it that are free.

    Where somebody has its own, the others are taken all the same. Nothing is, where it
    is finished or unknown.
    """
    rows = connection.execute(
        f"SELECT {LOADED}, ref"
        " FROM public.take_ahead(%s, %s, %s, %s, %s, %s, %s, %s::text[])",
        (
            command_id,
            ahead,
            most_of_others,
            runner,
            most,
            most_bytes,
            most_deaths,
            fingerprints,
        ),
    ).fetchall()
    return taken_by_stream(rows)


def taken_by_stream(rows: Sequence[Any]) -> list[Taken]:
    by_stream: dict[str, list[Any]] = {}
    for row in rows:
        by_stream.setdefault(row[2], []).append(row)
    return [taken_of(rows_of_one) for rows_of_one in by_stream.values()]


def taken_of(rows: Sequence[Any]) -> Taken:
    """Return the stream that *rows*, as `take` returns them, are about."""
    (stream,) = (row for row in rows if row[0] == "stream")
    stream_id, most = stream[2], stream[4]
    due = [row for row in rows if row[0] == "command"]
    return Taken(
        stream_id=stream_id,
        most=most,
        commands=[command_of(row) for row in due],
        past=gathered([stream_id], rows)[stream_id],
        given_up=[
            GivenUp(command_of(row), row[4]) for row in rows if row[0] == "failed"
        ],
        keys=keys_of_commands(row[9] for row in due),
    )


def command_of(row: Any) -> TakenCommand:
    kind, attempts, _, type_, version, data, metadata, _, conflicts, _, ref = row
    return TakenCommand(
        id=ref,
        type=type_,
        expected_version=version if kind == "command" else None,
        data=data,
        metadata=metadata,
        # The version before, until it is migrated, tells neither.
        attempts=attempts or 0,
        conflicts=int(conflicts or 0),
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


def always(stream_id: str) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    The bounds of one drain.

    *interruptions* are the errors that a runner's own time limit raises: they are the
    fault of the command that is decided only if that one took long itself. A
    runner keeps a snapshot of what took it *long_past* events to load, of streams that
    it *keeps_snapshots* of: one that gets a thousand commands in a second grows faster
    than who takes snapshots comes by.
    """

    commands: int = 100
    bytes: int = 1_000_000
    seconds_of_deciding: float = 1.0
    seconds_of_one_command: float = 5.0
    # Then another stream has its turn; what is left here is told to the caller.
    seconds_of_draining: float = 5.0
    conflicts: int = 5
    deaths: int = 5
    long_past: int = 1_000
    keeps_snapshots: Callable[[str], bool] = always
    interruptions: tuple[type[Exception], ...] = ()


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

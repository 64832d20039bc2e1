"""The notes on a filling: by what it is filled, how far it is, and whether to go on."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.errors import CheckpointNotInLog
from eventstore.projections.fold_version import fold_version
from eventstore.projections.generations import (
    drop_generation,
    drop_view,
    existing_generations,
    live_generations,
    make_tables,
    shape_of,
)
from eventstore.projections.ownership import hand_over
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA
from eventstore.projections.tables import name_of
from eventstore.rebuilding.parts import Part, parts_of
from eventstore.rebuilding.progress import Progress


class Filling(NamedTuple):
    """
    A generation that is filled, or was: what is noted of it.

    *generation* is its number. *phase* is where it is: filling, comparing, indexing,
    swapping or filled. *seconds_left* is an estimate; *differing* is how many rows
    differed from the live ones when they were compared last. *is_tended* says whether a
    process is at work on it.
    """

    read_model: str
    generation: int
    live: int | None
    phase: str
    done: int
    total: int | None
    seconds_left: float | None
    differing: int | None
    is_tended: bool


def find_fillings(connection: psycopg.Connection[Any]) -> list[Filling]:
    """Return the generations that are newer than the live ones: those not live yet."""
    rows = connection.execute(
        """
        SELECT * FROM (
            SELECT
                f.read_model,
                substr(f.generation, length(f.read_model) + 3)::integer AS number,
                g.live, f.phase, f.done, f.total, f.seconds_left, f.differing,
                EXISTS (
                    SELECT FROM pg_catalog.pg_locks AS l
                    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                        AND l.database = (
                            SELECT oid FROM pg_catalog.pg_database
                            WHERE datname = current_database()
                        )
                        AND l.classid::bigint
                            = hashtext('recount rebuild')::bigint & 4294967295
                        AND l.objid::bigint
                            = hashtext(f.read_model)::bigint & 4294967295
                )
            FROM public.fillings AS f
            LEFT JOIN public.generations AS g USING (read_model)
            WHERE EXISTS (
                SELECT FROM public.subscriptions AS s WHERE s.name = f.generation
            )
        ) AS found
        WHERE live IS NULL OR number > live
        ORDER BY read_model, number
        """
    )
    return [Filling(*row) for row in rows]


class Begun(NamedTuple):
    """
    A generation that is to be filled, in these *parts*; one if they are merged already.

    *dropped* says why an earlier filling was not gone on with, None if there was none.
    *is_resumed* says whether it is one that was begun before, *is_merged* whether its
    parts had met: then any number of processes may go on with it.
    """

    parts: Sequence[Part]
    is_resumed: bool
    dropped: str | None
    is_merged: bool = False


def begin(
    connection: psycopg.Connection[Any], projection: Projection, processes: int
) -> Begun:
    """
    Find the filling that a rebuild left, or make the tables of a new one.

    One is gone on with if it is of the same definition, code and number of processes;
    else it is dropped.
    """
    name = projection.name
    with connection.transaction():
        live = live_generations(connection).get(name)
        newest = live.number if live else 0
        if live is None:
            # Its row was lost, and the view may still hang on one of the tables.
            drop_view(connection, name)
        left = sorted(n for n in existing_generations(connection, name) if n > newest)
        reason = None
        if left == [newest + 1]:
            found = find_left(connection, projection, newest + 1, processes)
            if isinstance(found, Begun):
                return found
            reason = found
        for number in left:
            drop_generation(connection, name, number)
        tables = make_tables(connection, projection, newest + 1, processes)
        tables.rows.create_indexes(connection, are_early=True)
        parts = parts_of(projection, newest + 1, processes)
        if processes > 1:
            for part in parts:
                make_part(connection, part)
    return Begun(parts, False, reason)


def find_left(
    connection: psycopg.Connection[Any],
    projection: Projection,
    number: int,
    processes: int,
) -> Begun | str:
    """Return a filling that was left, or why it cannot be gone on with."""
    name = name_of(projection.name, number)
    row = connection.execute(
        "SELECT shape, fold_version, parts, phase FROM public.fillings"
        " WHERE generation = %s",
        (name,),
    ).fetchone()
    if row is None:
        return "nobody knows by which code it was filled"
    shape, version, count, phase = row
    if shape != shape_of(projection):
        return "it was of another definition"
    if version is None or version != fold_version(projection):
        return "it was filled by other code"
    # One whose parts have met needs no others.
    if count != processes and (count > 1 or phase == "filling"):
        return f"{count} processes had filled it, and now {processes} are to"
    parts = parts_of(projection, number, count)
    tables = {table.name for part in parts for table in part.tables().all}
    found = connection.execute(
        "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = %s",
        (SCHEMA,),
    )
    if tables - {table for (table,) in found}:
        return "its tables were dropped"
    for part in parts:
        if (fault := find_fault(connection, part)) is not None:
            return fault
    # Once they have met, any number of processes may go on with it.
    return Begun(parts, True, None, is_merged=phase != "filling")


def find_fault(connection: psycopg.Connection[Any], part: Part) -> str | None:
    """Return why a part cannot go on at its checkpoint, or None."""
    row = connection.execute(
        "SELECT checkpoint, public.checkpoint_fault(checkpoint, event_id)"
        " FROM public.subscriptions WHERE name = %s",
        (part.name,),
    ).fetchone()
    if row is None:
        return "its checkpoint was taken away"
    checkpoint, fault = row
    if fault is not None:
        return str(CheckpointNotInLog(part.name, checkpoint))
    return None


def make_part(connection: psycopg.Connection[Any], part: Part) -> None:
    """Make the checkpoint and the look-ups of one part of several."""
    connection.execute(
        "INSERT INTO public.subscriptions (name) VALUES (%s)", (part.name,)
    )
    if part.index:
        for table in part.tables().lookups.values():
            table.create(connection)
            hand_over(connection, "TABLE", table.name)


def note_progress(
    connection: psycopg.Connection[Any], generation: str, progress: Progress
) -> None:
    """Note how far a filling is, for `status` and metrics."""
    connection.execute(
        """
        UPDATE public.fillings
        SET phase = %s, done = %s, total = %s, seconds_left = %s WHERE generation = %s
        """,
        (*progress, generation),
    )


def note_seconds(
    connection: psycopg.Connection[Any],
    generation: str,
    *,
    filled: float = 0.0,
    after: float | None = None,
) -> None:
    """Add seconds that the filling took, or note those of what came after it."""
    connection.execute(
        """
        UPDATE public.fillings
        SET seconds_filled = seconds_filled + %s,
            seconds_after = coalesce(%s, seconds_after)
        WHERE generation = %s
        """,
        (filled, after, generation),
    )


def note_differing(
    connection: psycopg.Connection[Any], generation: str, differing: int
) -> None:
    """Note how many rows differ from the live ones."""
    connection.execute(
        "UPDATE public.fillings SET differing = %s WHERE generation = %s",
        (differing, generation),
    )


def share_after(connection: psycopg.Connection[Any], read_model: str) -> float | None:
    """Return what came after the last filling of a read model, in parts of its time."""
    row = connection.execute(
        """
        SELECT seconds_after / seconds_filled FROM public.fillings
        WHERE read_model = %s AND seconds_filled > 1 AND seconds_after IS NOT NULL
        ORDER BY begun_at DESC LIMIT 1
        """,
        (read_model,),
    ).fetchone()
    return None if row is None else float(row[0])

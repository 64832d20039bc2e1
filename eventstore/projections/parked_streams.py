"""The table of parked streams: what a read model cannot follow, from where on, why."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from eventstore.errors import cause_of
from eventstore.steps import Statement


class ParkedStream(NamedTuple):
    """
    A stream whose events are passed over by a read model, from *position* on.

    *read_model* is its name. *error* is the name of the class of what the projection
    raised there, and *line* the names of the module and the line that raised it, like
    `readmodels.figures:52`. *because_of* is the id of the parked stream without which
    this one cannot be tried. *attempts* is the number of times that it was tried,
    *dropped_at* is set where an operator decided to leave it out for good.
    """

    read_model: str
    stream_id: str
    position: int
    error: str
    line: str
    because_of: str | None
    since: datetime
    attempts: int
    dropped_at: datetime | None


COLUMNS = """
    g.read_model, p.stream_id, p.position, p.error, p.line, p.because_of, p.since,
    p.attempts, p.dropped_at
"""
OF_LIVE = """
    public.parked_streams AS p
    JOIN public.generations AS g ON p.subscription = g.read_model || '_g' || g.live
"""


def find_parked(
    connection: psycopg.Connection[Any],
    read_model: str | None = None,
    streams: Collection[str] | None = None,
) -> list[ParkedStream]:
    """
    Return what is parked in live read models, causes first, then the oldest first.

    *read_model* is the name of the only one to look at, *streams* are the ids of the
    only streams; None: all.
    """
    rows = connection.execute(
        f"""
        SELECT {COLUMNS} FROM {OF_LIVE}
        WHERE (%(read_model)s::text IS NULL OR g.read_model = %(read_model)s)
            AND (%(streams)s::text[] IS NULL OR p.stream_id = ANY (%(streams)s))
        ORDER BY g.read_model, p.because_of IS NOT NULL, p.position
        """,
        {
            "read_model": read_model,
            "streams": None if streams is None else list(streams),
        },
    )
    return [ParkedStream(*row) for row in rows]


class ParkedCount(NamedTuple):
    """How many streams are parked for a read model, the first of them *since* when."""

    number: int
    since: datetime


def count_parked(connection: psycopg.Connection[Any]) -> dict[str, ParkedCount]:
    """
    Return how many streams are parked, by live read model, if any.

    Those that were dropped are not counted.
    """
    rows = connection.execute(
        f"""
        SELECT g.read_model, count(*), min(p.since) FROM {OF_LIVE}
        WHERE p.dropped_at IS NULL GROUP BY g.read_model
        """
    )
    return {name: ParkedCount(number, since) for name, number, since in rows}


def ask_parked(subscription: str, streams: Iterable[str]) -> Statement:
    """Return the statement that reads which of *streams* are parked, and where."""
    return Statement(
        b"SELECT stream_id, position FROM public.parked_streams"
        b" WHERE subscription = %s AND stream_id = ANY (%s)",
        (subscription, list(streams)),
    )


def has_parked(connection: psycopg.Connection[Any], subscription: str) -> bool:
    """Return whether there are streams that are parked for a subscription."""
    row = connection.execute(
        "SELECT FROM public.parked_streams WHERE subscription = %s LIMIT 1",
        (subscription,),
    ).fetchone()
    return row is not None


def find_kinds(
    connection: psycopg.Connection[Any], subscription: str, streams: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Return the class and the line of the errors for which *streams* are parked."""
    rows = connection.execute(
        "SELECT stream_id, error, line FROM public.parked_streams"
        " WHERE subscription = %s AND stream_id = ANY (%s)",
        (subscription, list(streams)),
    )
    return {stream_id: (error, line) for stream_id, error, line in rows}


def find_positions(
    connection: psycopg.Connection[Any], subscription: str
) -> dict[str, int]:
    """Return from where on streams are parked for a subscription, by stream."""
    rows = connection.execute(
        "SELECT stream_id, position FROM public.parked_streams WHERE subscription = %s",
        (subscription,),
    )
    return dict(rows.fetchall())


class Parking(NamedTuple):
    """A stream to park: from where on, and why, as it is stored."""

    stream_id: str
    position: int
    error: str
    line: str
    because_of: str | None


def park(subscription: str, parkings: Sequence[Parking]) -> Statement:
    """
    Return the statement that parks streams for a subscription.

    One that is parked already was tried once more, and is parked since when it was.
    """
    columns: list[list[object]] = [
        list(column) for column in zip(*parkings, strict=True)
    ]
    return Statement(
        b"""
        INSERT INTO public.parked_streams AS p (
            subscription, stream_id, position, error, line, because_of
        )
        SELECT %s, * FROM unnest(
            %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[]
        )
        ON CONFLICT (subscription, stream_id) DO UPDATE
        SET position = EXCLUDED.position, error = EXCLUDED.error, line = EXCLUDED.line,
            because_of = EXCLUDED.because_of, attempts = p.attempts + 1
        """,
        (subscription, *columns),
    )


def unpark(subscription: str, streams: Iterable[str]) -> Statement:
    """Return the statement after which *streams* are followed again."""
    return Statement(
        b"DELETE FROM public.parked_streams"
        b" WHERE subscription = %s AND stream_id = ANY (%s)",
        (subscription, list(streams)),
    )


def drop_parked(
    connection: psycopg.Connection[Any],
    read_model: str,
    streams: Collection[str] | None,
) -> int:
    """
    Leave parked streams out for good: they are no longer reported; return their number.

    Their rows keep their mark, and they can still be retried. *read_model* is a name,
    *streams* are the ids of the streams; None: all.
    """
    dropped = connection.execute(
        """
        UPDATE public.parked_streams AS p SET dropped_at = clock_timestamp()
        FROM public.generations AS g
        WHERE p.subscription = g.read_model || '_g' || g.live AND g.read_model = %s
            AND p.dropped_at IS NULL
            AND (%s::text[] IS NULL OR p.stream_id = ANY (%s))
        """,
        (read_model, *[None if streams is None else list(streams)] * 2),
    )
    return dropped.rowcount


def place_of(error: Exception) -> str:
    """Return the module and line that raised *error*, like `readmodels.figures:52`."""
    cause = cause_of(error)
    while isinstance(cause.__cause__, Exception):
        cause = cause.__cause__
    trace = cause.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"


def kind_of_error(error: Exception) -> tuple[str, str]:
    """Return what tells one fault from another: the class, and the line."""
    return type(cause_of(error)).__name__, place_of(error)

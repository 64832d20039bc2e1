"""Which copies are wanted, by whom, and who waits for one still."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from eventstore.errors import NoFoldVersion
from eventstore.past.moments import Moment
from eventstore.past.registry import (
    COLUMNS,
    SECONDS_BETWEEN_NOTES,
    PastCopy,
    version_of,
)
from eventstore.projections.projection import Projection

SECONDS_OF_FAILURE = 30
"""Seconds for which a failed copy is not made again."""


def find_wish(
    connection: psycopg.Connection[Any], projection: Projection, moment: Moment
) -> PastCopy | None:
    """Return the copy of a moment that is wanted, being filled, or has just failed."""
    shape, version = version_of(projection)
    row = connection.execute(
        f"""
        SELECT {COLUMNS} FROM public.past_copies
        WHERE read_model = %(read_model)s AND shape = %(shape)s
            AND fold_version = %(version)s AND at IS NOT DISTINCT FROM %(at)s
            AND (at IS NOT NULL OR up_to = %(up_to)s) AND (
                state IN ('wanted', 'filling') OR state = 'failed'
                AND made_at > clock_timestamp() - make_interval(secs => %(seconds)s)
            )
        ORDER BY number DESC LIMIT 1
        """,
        {
            "read_model": projection.name,
            "shape": shape,
            "version": version,
            "seconds": SECONDS_OF_FAILURE,
            **moment.parameters,
        },
    ).fetchone()
    return None if row is None else PastCopy(*row)


def want_copy(
    connection: psycopg.Connection[Any],
    projection: Projection,
    moment: Moment,
    asked_by: str,
) -> None:
    """Have the copy of a moment made; *asked_by* is the principal who wants it."""
    shape, version = version_of(projection)
    connection.execute(
        """
        INSERT INTO public.past_copies
            (read_model, shape, fold_version, at, up_to, asked_by)
        VALUES (%s, %s, %s, %s, %s, %s)
        ON CONFLICT DO NOTHING
        """,
        (projection.name, shape, version, moment.at, moment.up_to, asked_by),
    )


def count_wishes(
    connection: psycopg.Connection[Any], asked_by: str, *, but: Moment
) -> int:
    """Return how many other moments somebody waits for, and has not got yet."""
    row = connection.execute(
        """
        SELECT count(DISTINCT coalesce(at::text, up_to::text)) FROM public.past_copies
        WHERE asked_by = %(asked_by)s AND state IN ('wanted', 'filling') AND NOT (
            at IS NOT DISTINCT FROM %(at)s AND (at IS NOT NULL OR up_to = %(up_to)s)
        )
        """,
        {"asked_by": asked_by, **but.parameters},
    ).fetchone()
    assert row is not None
    return int(row[0])


def has_work(
    connection: psycopg.Connection[Any], projections: Iterable[Projection]
) -> bool:
    """
    Return whether a copy is to be made, or the tables of one are to be dropped.

    What other code wants than that of *projections* is not counted.
    """
    row = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM public.past_copies
            WHERE state IN ('filling', 'dropped') OR (
                state = 'wanted'
                AND concat_ws(' ', read_model, shape, fold_version) = ANY (%s)
            )
        )
        """,
        (versions_of(projections),),
    ).fetchone()
    return row == (True,)


def versions_of(projections: Iterable[Projection]) -> Sequence[str]:
    """Return what a process can make: each name with its shape and fold's version."""
    found = []
    for projection in projections:
        with suppress(NoFoldVersion):
            found.append(" ".join((projection.name, *version_of(projection))))
    return found


def note_waiting(connection: psycopg.Connection[Any], wish: PastCopy) -> None:
    """Note that somebody waits still for a copy that is not made."""
    connection.execute(
        """
        UPDATE public.past_copies SET used_at = clock_timestamp()
        WHERE number = %s AND state = 'wanted'
            AND used_at < clock_timestamp() - make_interval(secs => %s)
        """,
        (wish.number, SECONDS_BETWEEN_NOTES),
    )


def drop_left_wishes(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Give up the copies that nobody has asked for since *seconds*, and none fills."""
    # The web may delete no row: who fills copies does.
    connection.execute(
        """
        UPDATE public.past_copies SET state = 'dropped' WHERE state = 'wanted'
            AND used_at < clock_timestamp() - make_interval(secs => %s)
        """,
        (seconds,),
    )

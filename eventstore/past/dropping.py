"""
Dropping copies: because somebody was forgotten, because there are too many, by hand.

A copy that is dropped is marked first, and from then on answers nothing. Its tables are
dropped at once if nobody reads or fills them; otherwise by the next who fills copies.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql

from eventstore.past.registry import name_of_copy, version_of
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA

SPARED = 2
"""Copies that are not dropped for their number or size: those of one comparison."""
MAX_DROPPED_AT_ONCE = 30
"""Copies, of some fourteen locks each: a transaction has a share of 6,400."""
LOCK_TIMEOUT_MS = 200
"""Waiting for a table's lock blocks those who read it: not for longer."""
IN_USE = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


def forget_copies(connection: psycopg.Connection[Any], position: int) -> None:
    """
    Drop all copies, since somebody was forgotten by the event at *position*.

    It is the caller's transaction, which locks the tables: those of a few copies go at
    once, and those of others with the next who fills copies. What is being filled is
    thrown away; what nobody has begun to fill reads no personal field of theirs any
    more.
    """
    rows = connection.execute(
        """
        UPDATE public.past_copies SET state = 'dropped'
        WHERE state <> 'wanted' RETURNING read_model, number
        """
    ).fetchall()
    for read_model, number in sorted(rows)[:MAX_DROPPED_AT_ONCE]:
        drop_marked(connection, read_model, number)


def drop_copies(
    connection: psycopg.Connection[Any], numbers: Collection[int] | None = None
) -> int:
    """Drop the copies *numbers*, or all; return how many. *connection* autocommits."""
    rows = connection.execute(
        """
        UPDATE public.past_copies SET state = 'dropped'
        WHERE %(numbers)s::bigint[] IS NULL OR number = ANY (%(numbers)s)
        RETURNING read_model, number
        """,
        {"numbers": None if numbers is None else list(numbers)},
    ).fetchall()
    for read_model, number in sorted(rows):
        drop_marked(connection, read_model, number)
    return len(rows)


def drop_marked(
    connection: psycopg.Connection[Any], read_model: str, number: int
) -> bool:
    """Drop the tables of a copy that is marked; return False if they are in use."""
    try:
        with connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            drop_tables(connection, read_model, number)
            connection.execute(
                """
                DELETE FROM public.past_copies
                WHERE number = %s AND state = 'dropped'
                """,
                (number,),
            )
    except IN_USE:
        return False
    return True


def drop_all_marked(connection: psycopg.Connection[Any]) -> None:
    """Drop the tables of all copies that are marked, where they are not in use."""
    for read_model, number in connection.execute(
        "SELECT read_model, number FROM public.past_copies WHERE state = 'dropped'"
    ).fetchall():
        drop_marked(connection, read_model, number)


def drop_tables(
    connection: psycopg.Connection[Any], read_model: str, number: int
) -> None:
    """Drop the tables of a copy, also those of look-ups that the code has no more."""
    name = name_of_copy(read_model, number)
    for (table,) in connection.execute(
        """
        SELECT tablename FROM pg_catalog.pg_tables
        WHERE schemaname = %s AND (tablename = %s OR starts_with(tablename, %s))
        """,
        (SCHEMA, name, f"{name}_"),
    ).fetchall():
        connection.execute(
            sql.SQL("DROP TABLE IF EXISTS {}").format(sql.Identifier(SCHEMA, table))
        )


def sweep(
    connection: psycopg.Connection[Any], projections: Sequence[Projection]
) -> None:
    """
    Drop what is of no use: what is marked, or failed, is of another code, or of nobody.

    The tables of nobody are left where a crash has emptied the registry.
    """
    versions = {projection.name: version_of(projection) for projection in projections}
    rows = connection.execute(
        """
        SELECT number, read_model, shape, fold_version FROM public.past_copies
        WHERE state = 'ready'
        """
    ).fetchall()
    useless = [n for n, name, *version in rows if versions.get(name) != (*version,)]
    if useless:
        drop_copies(connection, useless)
    drop_all_marked(connection)
    connection.execute(
        """
        DELETE FROM public.past_copies
        WHERE state = 'failed' AND made_at < clock_timestamp() - interval '1 day'
        """
    )
    for read_model, number in find_orphans(connection):
        with suppress(*IN_USE), connection.transaction():
            connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            drop_tables(connection, read_model, number)


def find_orphans(connection: psycopg.Connection[Any]) -> list[tuple[str, int]]:
    """Return read models and numbers of tables that are no copy's in the registry."""
    return connection.execute(
        r"""
        SELECT DISTINCT found.name[1], found.name[2]::bigint
        FROM pg_catalog.pg_tables AS t,
            regexp_match(t.tablename, '^([a-z][a-z0-9_]*?)_at_(\d{1,18})(_|$)')
                AS found (name)
        WHERE t.schemaname = %s AND found.name IS NOT NULL AND NOT EXISTS (
            SELECT FROM public.past_copies AS p
            WHERE p.number = found.name[2]::bigint AND p.read_model = found.name[1]
        )
        """,
        (SCHEMA,),
    ).fetchall()


def evict(
    connection: psycopg.Connection[Any],
    *,
    most: int,
    max_bytes: int,
    but: int | None = None,
) -> int:
    """
    Drop the copies used longest ago until at most *most* are left; return how many.

    They have at most *max_bytes* together. But the copy numbered *but* stays, and with
    it the one that was used last, even if these have more: who compares two moments
    needs both, and each would drop the other.
    """
    rows = connection.execute(
        """
        SELECT number FROM (
            SELECT
                number,
                row_number() OVER last_used AS place,
                sum(bytes) OVER last_used AS together
            FROM public.past_copies WHERE state = 'ready'
            WINDOW last_used AS (
                ORDER BY number IS NOT DISTINCT FROM %(but)s DESC, used_at DESC, number
                ROWS UNBOUNDED PRECEDING
            )
        ) AS p
        WHERE (place > %(most)s OR together > %(bytes)s) AND place > %(spared)s
        """,
        {
            "most": most,
            "bytes": max_bytes,
            "but": but,
            # Without one that stays there is nobody who compares.
            "spared": 0 if but is None else SPARED,
        },
    ).fetchall()
    numbers = [number for (number,) in rows]
    return drop_copies(connection, numbers) if numbers else 0

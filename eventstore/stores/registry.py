"""What PostgreSQL knows of the stores: the writer's notes, and what operators ask."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import psycopg

from eventstore.projections.projection import Key
from eventstore.stores.row_store import Checkpoint, Refusal, Shelf, next_number

Order = Literal["rebuild", "rollback"]

BEGUN = "begun"
"""The answer to an order that is being carried out."""
MAX_TEXT = 300
"""Characters of an error that are noted."""
TURN = "hashtext('recount'), hashtext('store ' || %s)"


class CopyStanding(NamedTuple):
    """
    How a store's copy of a read model stands, as its writer noted it.

    *serving*, *upcoming* and *previous* are numbers of copies, None where there is
    none. *rows* counts the keys of the serving copy, deleted ones too, *filled* those
    of the upcoming one, of about *expected*. *seconds_behind* is how long the serving
    copy has not had all changes; None if it never had. *refused* counts the rows that
    the store did not take. *differences* is the result of the last comparison of
    *compared_rows* rows, None if there was none. *wanted* is what an operator asked
    for, until the writer has done it; *answer* what it said of that.
    """

    store: str
    read_model: str
    serving: int | None
    upcoming: int | None
    previous: int | None
    generation: int | None
    position: int | None
    rows: int | None
    filled: int | None
    expected: int | None
    seconds_behind: float | None
    error: str | None
    error_since: datetime | None
    compared_at: datetime | None
    compared_rows: int | None
    differences: int | None
    first_difference: str | None
    wanted: Order | None
    answer: str | None
    refused: int
    is_tended: bool


def find_copy_standings(connection: psycopg.Connection[Any]) -> list[CopyStanding]:
    """Return the standing of each copy of each store that ever had one."""
    rows = connection.execute(
        """
        SELECT
            s.store, s.read_model, s.serving, s.upcoming, s.previous, s.generation,
            s.position, s.rows, s.filled, s.expected,
            greatest(
                extract(epoch FROM clock_timestamp() - s.certified_at), 0
            )::float8,
            s.error, s.error_since, s.compared_at, s.compared_rows, s.differences,
            s.first_difference, s.wanted, s.answer,
            (
                SELECT count(*) FROM public.refused_rows AS r
                WHERE (r.store, r.read_model, r.copy)
                    = (s.store, s.read_model, s.serving)
            ),
            EXISTS (
                SELECT FROM pg_catalog.pg_locks AS l
                WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
                    AND l.database = (
                        SELECT oid FROM pg_catalog.pg_database
                        WHERE datname = current_database()
                    )
                    AND l.classid::bigint = hashtext('recount')::bigint & 4294967295
                    AND l.objid::bigint
                        = hashtext('store ' || s.store)::bigint & 4294967295
            )
        FROM public.read_stores AS s
        ORDER BY s.store, s.read_model
        """
    )
    return [CopyStanding(*row) for row in rows]


def take_turn(connection: psycopg.Connection[Any], store: str) -> bool:
    """Take the lock of the one that writes *store*; return False if another has it."""
    row = connection.execute(
        f"SELECT pg_try_advisory_lock({TURN})", (store,)
    ).fetchone()
    return row == (True,)


def begin_term(connection: psycopg.Connection[Any], store: str, read_model: str) -> int:
    """Return the number of this writer's term, which is greater than all before."""
    row = connection.execute(
        """
        INSERT INTO public.read_stores AS s (store, read_model, term)
        VALUES (%s, %s, %s)
        ON CONFLICT (store, read_model)
        DO UPDATE SET term = greatest(s.term + 1, EXCLUDED.term)
        RETURNING term
        """,
        (store, read_model, next_number(0)),
    ).fetchone()
    assert row is not None
    return int(row[0])


class Orders(NamedTuple):
    """What an operator wants of a writer, and the position of the last forgetting."""

    wanted: Order | None
    wanted_at: datetime | None
    forgotten: int


def find_orders(
    connection: psycopg.Connection[Any], store: str
) -> Mapping[str, Orders]:
    """Return what is wanted of the writer of *store*, by read model."""
    rows = connection.execute(
        """
        SELECT read_model, wanted, wanted_at, forgotten
        FROM public.read_stores WHERE store = %s
        """,
        (store,),
    )
    return {name: Orders(*rest) for name, *rest in rows}


def order(
    connection: psycopg.Connection[Any], store: str, read_model: str, wanted: Order
) -> bool:
    """Ask the writer of a copy for something; return False if it has no standing."""
    found = connection.execute(
        """
        UPDATE public.read_stores
        SET wanted = %s, wanted_at = clock_timestamp(), answer = NULL
        WHERE store = %s AND read_model = %s
        """,
        (wanted, store, read_model),
    )
    return found.rowcount > 0


def answer_order(
    connection: psycopg.Connection[Any],
    store: str,
    read_model: str,
    orders: Orders,
    answer: str,
) -> None:
    """Note that what was wanted is begun, or why it is not: *answer*, one line."""
    connection.execute(
        """
        UPDATE public.read_stores SET wanted = NULL, answer = %s
        -- Not an order that was given since.
        WHERE store = %s AND read_model = %s AND wanted_at = %s
        """,
        (answer[:MAX_TEXT], store, read_model, orders.wanted_at),
    )


def withdraw(connection: psycopg.Connection[Any], store: str, read_model: str) -> None:
    """Take an order back that no writer has taken."""
    connection.execute(
        "UPDATE public.read_stores SET wanted = NULL"
        " WHERE store = %s AND read_model = %s",
        (store, read_model),
    )


def note_forgetting(connection: psycopg.Connection[Any], position: int) -> None:
    """Have all stores make new copies behind *position*, a forgetting's."""
    connection.execute(
        "UPDATE public.read_stores SET forgotten = %s WHERE forgotten < %s",
        (position, position),
    )


def note_standing(
    connection: psycopg.Connection[Any],
    store: str,
    read_model: str,
    shelf: Shelf,
    checkpoint: Checkpoint | None,
    counts: tuple[int | None, int | None, int | None],
    *,
    error: str | None,
) -> None:
    """
    Note how the copies stand; *error* is one that is still true, or None.

    *checkpoint* is that of the serving copy, *counts* are the keys of the serving copy,
    those of the upcoming one, and how many that will have; None where unknown.
    """
    serving, upcoming, previous = (
        copy and copy.number for copy in (shelf.serving, shelf.upcoming, shelf.previous)
    )
    rows, filled, expected = counts
    certified_at = checkpoint.certified_at if checkpoint else None
    connection.execute(
        """
        UPDATE public.read_stores
        SET serving = %s, upcoming = %s, previous = %s, generation = %s, position = %s,
            rows = coalesce(%s, rows), filled = %s, expected = %s,
            certified_at = to_timestamp(%s), error = %s,
            error_since = CASE
                WHEN %s::varchar IS NULL THEN NULL
                ELSE coalesce(error_since, clock_timestamp())
            END
        WHERE store = %s AND read_model = %s
        """,
        (
            serving,
            upcoming,
            previous,
            shelf.serving and shelf.serving.generation,
            checkpoint.position if checkpoint else None,
            rows,
            filled,
            expected,
            certified_at,
            error and error[:MAX_TEXT],
            error,
            store,
            read_model,
        ),
    )


def note_error(
    connection: psycopg.Connection[Any], store: str, read_model: str, error: str
) -> None:
    """Note why a copy is not fed; *error* is one line without values of rows."""
    connection.execute(
        """
        UPDATE public.read_stores
        SET error = %s, error_since = coalesce(error_since, clock_timestamp())
        WHERE store = %s AND read_model = %s
        """,
        (error[:MAX_TEXT], store, read_model),
    )


def note_comparison(
    connection: psycopg.Connection[Any],
    store: str,
    read_model: str,
    rows: int,
    differences: Sequence[str],
) -> None:
    """Note the result of a comparison of so many rows; the differences are words."""
    connection.execute(
        """
        UPDATE public.read_stores
        SET compared_at = clock_timestamp(), compared_rows = %s, differences = %s,
            first_difference = %s
        WHERE store = %s AND read_model = %s
        """,
        (
            rows,
            len(differences),
            differences[0][:MAX_TEXT] if differences else None,
            store,
            read_model,
        ),
    )


def note_refusals(
    connection: psycopg.Connection[Any],
    store: str,
    read_model: str,
    copy: int,
    refusals: Sequence[Refusal],
) -> None:
    """Note rows that the copy with this number did not take."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO public.refused_rows AS r
                (store, read_model, copy, key, change, error)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (store, read_model, copy, key) DO UPDATE
            SET change = EXCLUDED.change, error = EXCLUDED.error
            WHERE r.change <= EXCLUDED.change
            """,
            [
                (store, read_model, copy, str(r.key), r.change, r.error[:MAX_TEXT])
                for r in refusals
            ],
        )


def forget_refusals(
    connection: psycopg.Connection[Any],
    store: str,
    read_model: str,
    copy: int,
    taken: Sequence[tuple[Key, int]],
) -> None:
    """Delete the notes on rows that the copy has taken since, with their changes."""
    connection.execute(
        """
        DELETE FROM public.refused_rows AS r
        USING unnest(%s::varchar[], %s::bigint[]) AS t (key, change)
        WHERE (r.store, r.read_model, r.copy) = (%s, %s, %s)
            AND r.key = t.key AND r.change <= t.change
        """,
        (
            [str(key) for key, _ in taken],
            [change for _, change in taken],
            store,
            read_model,
            copy,
        ),
    )


def forget_copies(
    connection: psycopg.Connection[Any],
    store: str,
    read_model: str,
    kept: Sequence[int],
) -> None:
    """Delete the notes on rows of copies other than those *kept*, by number."""
    connection.execute(
        """
        DELETE FROM public.refused_rows
        WHERE store = %s AND read_model = %s AND copy <> ALL (%s)
        """,
        (store, read_model, list(kept)),
    )


def find_refused(
    connection: psycopg.Connection[Any], store: str, read_model: str, copy: int
) -> Mapping[str, str]:
    """Return the rows that a copy did not take: the error by the key's text."""
    rows = connection.execute(
        """
        SELECT key, error FROM public.refused_rows
        WHERE store = %s AND read_model = %s AND copy = %s
        """,
        (store, read_model, copy),
    )
    return dict(rows.fetchall())
